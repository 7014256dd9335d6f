"""A folder or a zip file on this machine -> a function that the embedded Lambda can create."""

from __future__ import annotations

import io
import posixpath
import re
import shlex
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tuner.errors import LocalFunctionError
from tuner.inputs.files import UnreadableFileError, read_bounded
from tuner.limits import MAX_UNZIPPED_BYTES
from tuner.local import runtimes
from tuner.local.archive import ArchiveError, read_archive
from tuner.local.handlers import Found, Language, SourceFile, checked_handler, find_handler, listed
from tuner.local.host import architecture as host_architecture
from tuner.model import Architecture

DEFAULT_TIMEOUT_S = 30
DEFAULT_MEMORY_MB = 512

_SKIPPED_FOLDERS = {"__pycache__", ".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip file can hold: the same folder gives the same bytes, whenever it was checked out."""
_MOST_LINKS = 40
"""As many as Linux follows."""
_PACK_AGAIN = "Pack it again, or give the folder itself."


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFunction:
    """Everything CreateFunction needs. ``zip_bytes`` depends on the files' names, contents and modes only."""

    name: str
    runtime: str
    handler: str
    architecture: Architecture
    zip_bytes: bytes
    timeout_s: int = DEFAULT_TIMEOUT_S
    memory_mb: int = DEFAULT_MEMORY_MB


def read_function(
    path: Path,
    *,
    handler: str | None = None,
    runtime: str | None = None,
    timeout_s: int = DEFAULT_TIMEOUT_S,
    memory_mb: int = DEFAULT_MEMORY_MB,
) -> LocalFunction:
    """Read the function in a folder or zip file. LocalFunctionError says what is missing and how to give it."""
    files = _files(path)
    _check_size(path, files)
    sources = _followed(files)
    found = checked_handler(path, sources, handler) if handler else find_handler(path, sources)
    return LocalFunction(
        name=_function_name(path),
        runtime=_runtime(runtime, found),
        handler=found.handler,
        architecture=Architecture(host_architecture()),
        zip_bytes=pack(files),
        timeout_s=timeout_s,
        memory_mb=memory_mb,
    )


def pack(files: Mapping[str, SourceFile]) -> bytes:
    """A zip file that is the same for the same files: sorted names, one timestamp, two modes and links."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, on every host
            entry.external_attr = _unix_mode(files[name]) << 16
            archive.writestr(entry, files[name].data)
    return target.getvalue()


def _unix_mode(file: SourceFile) -> int:
    if file.is_link:
        return stat.S_IFLNK | 0o777
    return stat.S_IFREG | (0o755 if file.executable else 0o644)


def _files(path: Path) -> dict[str, SourceFile]:
    if path.is_dir():
        return _folder_files(path)
    if path.is_file() and path.suffix == ".zip":
        return _zip_files(path)
    if path.is_file():
        raise LocalFunctionError(
            f"{path} is a file; a function is a folder, because its package holds everything next to the handler.",
            hint=f"Give the folder: --local {shlex.quote(str(path.parent))}",
        )
    raise LocalFunctionError(
        f"There is no folder {path}.", hint="Give the folder that holds the handler, for example examples/wait."
    )


def _folder_files(folder: Path) -> dict[str, SourceFile]:
    found: dict[str, SourceFile] = {}
    size = 0
    for file in sorted(folder.rglob("*")):
        relative = file.relative_to(folder)
        if _SKIPPED_FOLDERS & set(relative.parts) or not file.is_file():
            continue
        status = file.stat()
        size += status.st_size
        if size > MAX_UNZIPPED_BYTES:
            raise _too_large(folder, size)
        found[relative.as_posix()] = SourceFile(file.read_bytes(), executable=bool(status.st_mode & 0o100))
    return found


def _zip_files(path: Path) -> dict[str, SourceFile]:
    try:
        entries = read_archive(read_bounded(path, limit_bytes=MAX_UNZIPPED_BYTES))
    except UnreadableFileError as error:
        raise LocalFunctionError(f"{path} {error}.", hint=_PACK_AGAIN) from error
    except ArchiveError as error:
        raise LocalFunctionError(
            f"{path} cannot be used as a deployment package: {error}.", hint=_PACK_AGAIN
        ) from error
    return {
        entry.name: SourceFile(entry.data, executable=bool(entry.mode & 0o100), is_link=entry.is_link)
        for entry in entries
    }


def _followed(files: Mapping[str, SourceFile]) -> dict[str, SourceFile]:
    """``files`` with the links to other files of the package replaced by those: a handler may be a link."""
    found = {}
    for name, file in files.items():
        target, steps = name, 0
        while target in files and files[target].is_link and steps < _MOST_LINKS:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(target), files[target].data.decode()))
            steps += 1
        found[name] = files.get(target, file)
    return found


def _check_size(path: Path, files: Mapping[str, SourceFile]) -> None:
    if not files:
        raise LocalFunctionError(f"{path} is empty.", hint="Give the folder that holds the handler.")


def _too_large(path: Path, size: int) -> LocalFunctionError:
    limit_mb = MAX_UNZIPPED_BYTES // 1024**2
    return LocalFunctionError(
        f"{path} holds more than {limit_mb} MB ({size / 1024**2:.0f} MB so far); Lambda refuses that.",
        hint="Give a folder with the deployment package only, without data, tests or a virtual environment.",
    )


def _runtime(wanted: str | None, found: Found) -> str:
    """The runtime asked for, or the newest one here that speaks the handler's language."""
    supported = runtimes.supported()
    if wanted is not None and wanted in supported:
        return wanted
    if wanted is not None:
        raise LocalFunctionError(
            f"{wanted} cannot run here.", hint=f"This machine runs {listed(supported)}; measure the others on AWS."
        )
    fitting = [name for name in supported if name.startswith(_PREFIXES[found.language])]
    if found.language is Language.PYTHON and runtimes.OWN_PYTHON in fitting:
        return runtimes.OWN_PYTHON
    if not fitting:
        raise LocalFunctionError(
            f"{found.handler} needs {found.language}, which is not installed here.",
            hint=f"Install it, or measure the function on AWS. This machine runs {listed(supported)}.",
        )
    return fitting[-1]


_PREFIXES = {
    Language.PYTHON: "python",
    Language.NODE: "nodejs",
    Language.EXECUTABLE: "provided.al2023",
}


def _function_name(path: Path) -> str:
    stem = path.resolve().stem if path.is_file() else path.resolve().name
    cleaned = re.sub(r"[^a-zA-Z0-9_-]+", "-", stem).strip("-")
    return cleaned[:64] or "function"
