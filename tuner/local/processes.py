"""Starting, recognising and ending processes. Everything the embedded Lambda starts carries two marks: its server's
name in its environment, and a death signal that fires when the server dies."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SERVER_MARK = "TUNER_LOCAL_SERVER"
"""Environment variable by which a sweep recognises processes of a server that is gone."""

MOST_OPEN_FILES = 1024
MOST_PROCESSES = 1024
"""Limits of one execution environment (lambda/latest/dg/gettingstarted-limits)."""

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_MOST_CAPABILITIES = 64
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """A server process for all time: process ids are reused, a process id with its start time is not."""

    pid: int
    started: int
    """Clock ticks since boot (field 22 of /proc/PID/stat); 0 where there is no /proc."""
    namespace: int
    """Inode of the PID namespace: a container next door has its own process 7."""

    @property
    def name(self) -> str:
        return f"tuner-{self.namespace}-{self.pid}-{self.started}"

    @classmethod
    def current(cls) -> ServerIdentity:
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> ServerIdentity:
        """The identity of a server that runs as process ``pid``."""
        return cls(pid, start_time(pid) or 0, pid_namespace())

    @classmethod
    def parse(cls, name: str) -> ServerIdentity | None:
        prefix, *numbers = name.split("-")
        if prefix != "tuner" or len(numbers) != 3 or not all(number.isdigit() for number in numbers):
            return None
        namespace, pid, started = (int(number) for number in numbers)
        return cls(pid, started, namespace)

    def known_dead(self) -> bool:
        """True only where it can be told: same PID namespace, and nobody with that id and start time."""
        return self.namespace == pid_namespace() and start_time(self.pid) != self.started


def pid_namespace() -> int:
    with contextlib.suppress(OSError):
        return Path("/proc/self/ns/pid").stat().st_ino
    return 0


def start_time(pid: int) -> int | None:
    """Start of a living process in clock ticks since boot; None for a dead one or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def all_pids() -> Iterator[int]:
    with contextlib.suppress(OSError):
        yield from (int(entry) for entry in os.listdir("/proc") if entry.isdigit())  # noqa: PTH208


def marks_of_all(mark: str) -> dict[int, str]:
    """Every living process that carries ``mark``, with its value."""
    prefix = f"{mark}=".encode()
    found = {}
    for pid in all_pids():
        for entry in _environment(pid):
            if entry.startswith(prefix):
                found[pid] = entry[len(prefix) :].decode(errors="replace")
    return found


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def kill_quietly(pid: int, number: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def become_subreaper() -> None:
    """Adopt daemonised grandchildren, so that they are found and reaped (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def hide_own_environment() -> None:
    """From now on no other process of this user can read this one's environment and memory in /proc.

    A handler runs as the same user, and the environment of a command line is full of credentials. Root's handlers
    are kept out by their lack of capabilities instead (``_confine_self``).
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def own_children() -> tuple[int, ...]:
    """Children of this process, adopted ones included."""
    return tuple(pid for pid in all_pids() if _parent_of(pid) == os.getpid())


def _parent_of(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A child process: leader of its own session. ``exited`` becomes its exit code, negative for a signal."""

    pid: int
    exited: asyncio.Future[int]

    def kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


class Reaper:
    """Spawns children and hears of every death, adopted grandchildren included."""

    def __init__(self) -> None:
        self._children: dict[int, Child] = {}

    def start(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)

    def stop(self) -> None:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)

    def spawn(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        output: int,
        procs_files: Sequence[Path],
    ) -> Child:
        """Start ``command`` in its own session, inside the control groups whose ``procs_files`` are given.

        Raises OSError where it cannot be executed, subprocess.SubprocessError where it cannot be confined.

        A hook between fork and exec is safe here because the server has one thread, and it is the only way to be
        confined before the first instruction of the child that works for any executable.
        """
        process = subprocess.Popen(  # noqa: S603 - running what the user gave is the purpose
            command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_confine_self(  # noqa: PLW1509
                os.getpid(), [os.fspath(path) for path in procs_files], _process_limit()
            ),
        )
        child = Child(pid=process.pid, exited=asyncio.get_running_loop().create_future())
        process.returncode = 0  # this class reaps; Popen must not try to
        self._children[child.pid] = child
        return child

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is not None and not child.exited.done():
                child.exited.set_result(os.waitstatus_to_exitcode(status))


def _file_limit() -> int:
    """RLIMIT_NOFILE for a child: Lambda's, or what this process may give."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MOST_OPEN_FILES, hard)


def _process_limit() -> int | None:
    """RLIMIT_NPROC for a child: it counts all threads of the user. Root is exempt from it (setrlimit(2))."""
    user = os.geteuid()
    if user == 0:
        return None
    return MOST_PROCESSES + sum(_threads_of(pid, user) for pid in all_pids())


def _threads_of(pid: int, user: int) -> int:
    try:
        folder = Path(f"/proc/{pid}")
        return (
            int((folder / "stat").read_text().rpartition(")")[2].split()[17]) if folder.stat().st_uid == user else 0
        )
    except OSError:
        return 0


def _confine_self(server_pid: int, procs_files: Sequence[str], process_limit: int | None) -> Callable[[], None]:
    file_limit = _file_limit()

    def confine() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            for capability in range(_MOST_CAPABILITIES if os.geteuid() == 0 else 0):
                # What is not in the bounding set is lost at exec: this root cannot look into other processes.
                _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        if os.getppid() != server_pid:
            os._exit(1)  # the server died before the death signal was armed
        for path in procs_files:  # before the limit on files: the server may have more open than the child may have
            descriptor = os.open(path, os.O_WRONLY)
            os.write(descriptor, b"0")
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (file_limit, file_limit))
        if process_limit is not None:
            resource.setrlimit(resource.RLIMIT_NPROC, (process_limit, process_limit))

    return confine
