"""What gates and runs found, kept in the project: one SQLite file that never blocks anybody.

One row is one number of one run, with what it takes to put it beside others: function, engine, region, memory,
architecture, payload and the version that was measured. Samples are not kept; reports hold those.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from tuner.errors import TargetError

FOLDER = Path(".tuner")
FILE = "history.sqlite"
SCHEMA = 1
WAIT_S = 5.0
"""How long another process may hold the file."""

_DAMAGED = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB"})

_TABLE = """
CREATE TABLE IF NOT EXISTS entries (
    created_at TEXT NOT NULL,
    run_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    function TEXT NOT NULL,
    engine TEXT NOT NULL,
    region TEXT NOT NULL,
    memory_mb INTEGER NOT NULL,
    architecture TEXT NOT NULL,
    payload_sha256 TEXT NOT NULL,
    version TEXT NOT NULL,
    code_sha256 TEXT NOT NULL,
    status TEXT NOT NULL,
    metric TEXT NOT NULL,
    unit TEXT NOT NULL,
    value REAL NOT NULL,
    low REAL,
    high REAL,
    n INTEGER NOT NULL,
    PRIMARY KEY (run_id, function, memory_mb, architecture, metric)
) STRICT
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One number of one run. ``created_at`` is ISO 8601 in UTC; ``low`` and ``high`` are its interval."""

    created_at: str
    run_id: str
    kind: str
    function: str
    engine: str
    region: str
    memory_mb: int
    architecture: str
    payload_sha256: str
    version: str
    """Qualifier of what was measured; empty where there was none."""
    code_sha256: str
    status: str
    """Verdict of a gate; empty for other kinds."""
    metric: str
    unit: str
    value: float
    low: float | None
    high: float | None
    n: int

    @property
    def series(self) -> tuple[str, ...]:
        """What two entries must share to be compared."""
        condition = (self.function, self.engine, self.region, str(self.memory_mb), self.architecture)
        return (*condition, self.payload_sha256, self.metric)


_COLUMNS = tuple(field.name for field in fields(Entry))


@dataclass(frozen=True, slots=True)
class History:
    """The history of one project. Reading where there is none finds nothing and makes nothing."""

    folder: Path

    @classmethod
    def of(cls, project: Path) -> History:
        return cls(project / FOLDER)

    @property
    def path(self) -> Path:
        return self.folder / FILE

    def add(self, entries: Iterable[Entry]) -> int:
        """Keep ``entries``, each once however often it is added; returns how many there are. Raises TargetError."""
        rows = [astuple(entry) for entry in entries]
        with _as_target_error(self.path):
            self.folder.mkdir(parents=True, exist_ok=True)
            ignore = self.folder / ".gitignore"
            if not ignore.exists() or ignore.stat().st_size == 0:  # empty: the disk was full the last time
                ignore.write_text("*\n")
            with closing(self._connect()) as connection, connection:
                connection.execute(_TABLE)
                connection.execute(f"PRAGMA user_version = {SCHEMA}")
                marks = ", ".join("?" for _ in _COLUMNS)
                statement = f"INSERT OR REPLACE INTO entries ({', '.join(_COLUMNS)}) VALUES ({marks})"  # noqa: S608
                connection.executemany(statement, rows)
        return len(rows)

    def read(self, function: str | None = None) -> tuple[Entry, ...]:
        """Everything, or what there is of one function, in the order of time. Raises TargetError."""
        if not self.path.exists():
            return ()
        where = "" if function is None else "WHERE function = ?"
        query = f"SELECT {', '.join(_COLUMNS)} FROM entries {where} ORDER BY created_at, run_id"  # noqa: S608
        with _as_target_error(self.path), closing(self._connect()) as connection:
            found = connection.execute(query, () if function is None else (function,)).fetchall()
        return tuple(Entry(**dict(zip(_COLUMNS, row, strict=True))) for row in found)

    def _connect(self) -> sqlite3.Connection:
        """An open connection to a file of a schema that is understood here; sqlite3.Error, and nothing left open,
        otherwise."""
        with ExitStack() as on_error:
            connection = on_error.enter_context(closing(sqlite3.connect(self.path, timeout=WAIT_S)))
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA:
                raise sqlite3.DatabaseError(f"it was written by a later version of tuner (schema {version})")
            on_error.pop_all()
        return connection


@contextmanager
def _as_target_error(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise TargetError(f"The history {path} cannot be used: {error}.", hint=_hint(error)) from error


def _hint(error: OSError | sqlite3.Error) -> str:
    """A full disk takes nothing from a history: only one that is damaged has to go."""
    name = getattr(error, "sqlite_errorname", None)
    if name in _DAMAGED:
        return "Move the file away to begin a new one, or add --no-history."
    if name is None and isinstance(error, sqlite3.Error):  # our own, for a later version
        return "Update tuner, or add --no-history."
    return "What it holds is not lost. Make room, or see that the file may be written; or add --no-history."
