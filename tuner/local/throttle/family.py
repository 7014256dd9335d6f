"""The processes of an environment, found without control groups."""

from __future__ import annotations

from pathlib import Path

from tuner.local.processes import all_pids, session_of


class Family:
    """The session that the environment's first process leads, and sessions that its daemons made for themselves.

    A session is asked once whose it is: its processes have inherited the environment's own mark. Who daemonises
    *and* wipes its environment is not found until the server ends and kills whatever it has adopted.
    """

    def __init__(self) -> None:
        self._mark = b""
        self._ours: set[int] = set()
        self._others: set[int] = set()

    def watch(self, leader: int, mark: bytes) -> None:
        self._mark = mark
        self._ours.add(leader)
        self._others.discard(leader)

    @property
    def sessions(self) -> tuple[int, ...]:
        return tuple(self._ours)

    def pids(self) -> tuple[int, ...]:
        if not self._ours:
            return ()
        return tuple(pid for pid in all_pids() if (session := session_of(pid)) and self._is_ours(session, pid))

    def _is_ours(self, session: int, pid: int) -> bool:
        if session not in self._ours and session not in self._others:
            known = self._ours if self._marked(pid) else self._others
            known.add(session)
        return session in self._ours

    def _marked(self, pid: int) -> bool:
        try:
            return self._mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return False
