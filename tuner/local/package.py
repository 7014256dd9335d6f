"""A folder or a zip file on this machine -> a function that the embedded Lambda can create.

The handler is found by reading the syntax tree; nothing of the user's is imported in this process.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tuner.errors import LocalFunctionError
from tuner.local.code import MAX_UNZIPPED_BYTES
from tuner.local.host import architecture as host_architecture
from tuner.model import Architecture

CONVENTIONAL_FILES = ("lambda_function.py", "handler.py", "app.py", "index.py", "main.py")
HANDLER_NAMES = ("lambda_handler", "handler")
DEFAULT_TIMEOUT_S = 30
DEFAULT_MEMORY_MB = 512

_SKIPPED_FOLDERS = {"__pycache__", ".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
_OTHER_RUNTIMES = {".js": "Node.js", ".mjs": "Node.js", ".ts": "Node.js", ".java": "Java", ".go": "Go", ".rb": "Ruby"}
_HANDLER = re.compile(r"(?P<module>[\w./-]+)\.(?P<function>\w+)")
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip file can hold: the same folder gives the same bytes, whenever it was checked out."""


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
    return LocalFunction(
        name=_function_name(path),
        runtime=_runtime(runtime),
        handler=_checked_handler(path, files, handler) if handler else _find_handler(path, files),
        architecture=Architecture(host_architecture()),
        zip_bytes=pack(files),
        timeout_s=timeout_s,
        memory_mb=memory_mb,
    )


@dataclass(frozen=True, slots=True)
class SourceFile:
    data: bytes
    executable: bool = False


def pack(files: Mapping[str, SourceFile]) -> bytes:
    """A zip file that is the same for the same files: sorted names, one timestamp, two modes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, on every host
            entry.external_attr = (0o100755 if files[name].executable else 0o100644) << 16
            archive.writestr(entry, files[name].data)
    return target.getvalue()


def _files(path: Path) -> dict[str, SourceFile]:
    if path.is_dir():
        return _folder_files(path)
    if path.is_file() and path.suffix == ".zip":
        return _zip_files(path)
    if path.is_file():
        raise LocalFunctionError(
            f"{path} is a file; a function is a folder, because its package holds everything next to the handler.",
            hint=f"Give the folder: --local {path.parent}",
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
        stat = file.stat()
        size += stat.st_size
        if size > MAX_UNZIPPED_BYTES:
            raise _too_large(folder, size)
        found[relative.as_posix()] = SourceFile(file.read_bytes(), executable=bool(stat.st_mode & 0o100))
    return found


def _zip_files(path: Path) -> dict[str, SourceFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            size = sum(entry.file_size for entry in entries)
            if size > MAX_UNZIPPED_BYTES:
                raise _too_large(path, size)
            return {
                entry.filename: SourceFile(archive.read(entry), executable=bool(entry.external_attr >> 16 & 0o100))
                for entry in entries
            }
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise LocalFunctionError(
            f"{path} cannot be read as a zip file: {error}.", hint="Pack it again, or give the folder itself."
        ) from error


def _check_size(path: Path, files: Mapping[str, SourceFile]) -> None:
    if not files:
        raise LocalFunctionError(f"{path} is empty.", hint="Give the folder that holds the handler.")


def _too_large(path: Path, size: int) -> LocalFunctionError:
    limit_mb = MAX_UNZIPPED_BYTES // 1024**2
    return LocalFunctionError(
        f"{path} holds more than {limit_mb} MB ({size / 1024**2:.0f} MB so far); Lambda refuses that.",
        hint="Give a folder with the deployment package only, without data, tests or a virtual environment.",
    )


def _runtime(wanted: str | None) -> str:
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if wanted is None or wanted == here:
        return here
    if re.fullmatch(r"python3\.\d+", wanted):
        raise LocalFunctionError(
            f"{wanted} cannot run here: handlers run in the Python that runs tuner, which is {here}.",
            hint=f"Install tuner under {wanted.replace('python', 'Python ')}, or leave --runtime out.",
        )
    raise LocalFunctionError(
        f"The embedded Lambda cannot run {wanted}.", hint=f"It runs {here} so far; measure this function on AWS."
    )


def _function_name(path: Path) -> str:
    stem = path.resolve().stem if path.is_file() else path.resolve().name
    cleaned = re.sub(r"[^a-zA-Z0-9_-]+", "-", stem).strip("-")
    return cleaned[:64] or "function"


def _checked_handler(path: Path, files: Mapping[str, SourceFile], handler: str) -> str:
    match = _HANDLER.fullmatch(handler)
    if match is None:
        raise LocalFunctionError(
            f"{handler!r} is not a handler.", hint="Write it as module.function, for example app.handler."
        )
    module = match["module"].replace(".", "/")
    candidates = (f"{module}.py", f"{module}/__init__.py")
    file = next((name for name in candidates if name in files), None)
    if file is None:
        raise LocalFunctionError(
            f"--handler {handler} means {candidates[0]}, which is not in {path}.",
            hint=f"There are: {_listed(_top_level(files)) or 'no Python files'}.",
        )
    if not _defines(_parse(path, file, files[file].data), match["function"]):
        raise LocalFunctionError(
            f"{path / file} defines no {match['function']}.", hint="Check the spelling of --handler module.function."
        )
    return handler


def _find_handler(path: Path, files: Mapping[str, SourceFile]) -> str:
    """The conventional file names first, in their order; then any one file that defines a handler."""
    present = _top_level(files)
    handlers = {file: name for file in present if (name := _handler_in(path, file, files[file].data))}
    conventional = [file for file in CONVENTIONAL_FILES if file in handlers]
    candidates = conventional or sorted(handlers)
    if not candidates:
        raise _no_handler(path, files)
    if len(candidates) > 1:
        names = [f"{file.removesuffix('.py')}.{handlers[file]}" for file in candidates]
        raise LocalFunctionError(
            f"{path} has {len(names)} possible handlers: {_listed(names)}.",
            hint=f"Say which one, for example --handler {names[0]}",
        )
    return f"{candidates[0].removesuffix('.py')}.{handlers[candidates[0]]}"


def _no_handler(path: Path, files: Mapping[str, SourceFile]) -> LocalFunctionError:
    others = sorted({_OTHER_RUNTIMES[suffix] for name in files if (suffix := Path(name).suffix) in _OTHER_RUNTIMES})
    if others and not _top_level(files):
        return LocalFunctionError(
            f"{path} looks like {_listed(others)}; the embedded Lambda runs Python only so far.",
            hint="Measure it on AWS: leave out --local and name the deployed function.",
        )
    looked = _listed(CONVENTIONAL_FILES)
    return LocalFunctionError(
        f"No handler in {path}: looked in {looked} and every other .py file for a function named "
        f"{' or '.join(HANDLER_NAMES)}.",
        hint="Name it with --handler module.function.",
    )


def _top_level(files: Mapping[str, SourceFile]) -> tuple[str, ...]:
    return tuple(sorted(name for name in files if "/" not in name and name.endswith(".py")))


def _handler_in(path: Path, file: str, source: bytes) -> str | None:
    tree = _parse(path, file, source)
    return next((name for name in HANDLER_NAMES if _defines(tree, name)), None)


def _parse(path: Path, file: str, source: bytes) -> ast.Module:
    try:
        return ast.parse(source, filename=file)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        reason = getattr(error, "msg", None) or str(error)
        raise LocalFunctionError(
            f"Syntax error in {path / file}:{line}: {reason}.", hint="Correct it and run the command again."
        ) from error


def _defines(tree: ast.Module, name: str) -> bool:
    """The module binds ``name`` at its top level: by def, by assignment or by import."""
    return any(name in _bound_names(statement) for statement in tree.body)


def _bound_names(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.ImportFrom(names=names) | ast.Import(names=names):
            return {alias.asname or alias.name for alias in names}
        case ast.If() | ast.Try() | ast.With():
            nested = [node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.stmt)]
            return set().union(*(_bound_names(node) for node in nested)) if nested else set()
    return set()


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names)
