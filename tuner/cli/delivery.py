"""Writing the files a command was asked for: one that fails does not keep the others from being written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from tuner.errors import OutputError


class Delivery:
    """Files written one after the other. Leaving the context raises OutputError with all that could not be."""

    def __init__(self) -> None:
        self.written: list[Path] = []
        self._failed: dict[Path, OSError] = {}

    def __enter__(self) -> Delivery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._failed:
            raise _not_written(self._failed) from next(iter(self._failed.values()))

    def write(self, path: Path, content: str | bytes) -> None:
        """Replace what ``path`` holds, and make its folder where there is none."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, content.encode() if isinstance(content, str) else content)
        except OSError as error:
            self._failed[path] = error
        else:
            self.written.append(path)

    def append(self, path: Path, text: str) -> None:
        """For files that others write to as well."""
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            self._failed[path] = error

    def has_written(self, paths: Iterable[Path]) -> tuple[Path, ...]:
        """Those of ``paths`` that were written."""
        return tuple(path for path in paths if path in self.written)


def try_writing(path: Path) -> None:
    """OSError where ``path`` cannot be written. Leaves nothing behind, so that no empty file passes for a result."""
    made = _make_parents(path.parent)
    existed = path.exists()
    with path.open("ab"):
        pass
    if not existed:
        path.unlink()
    for folder in made:
        folder.rmdir()


def _make_parents(folder: Path) -> list[Path]:
    """Make ``folder`` and return the folders that did not exist, innermost first."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _write(path: Path, data: bytes) -> None:
    file = path.open("wb")  # a file that may not be opened keeps what it holds
    try:
        with file:
            file.write(data)
    except OSError:
        if path.is_file():  # half a page, or half a report that no command reads, would be taken for a whole one
            path.unlink()
        raise


def _not_written(failed: dict[Path, OSError]) -> OutputError:
    named = ", ".join(f"{path} ({error.strerror or error})" for path, error in failed.items())
    return OutputError(
        f"Not written: {named}.",
        hint="Everything else was written. Make room, or name a file on another disk, and run this again.",
    )
