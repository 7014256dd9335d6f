"""Finding a function's handler by reading: the syntax tree of a Python file, the exports of a JavaScript file, the
presence of an executable ``bootstrap``. Nothing of the user's is imported or executed in this process."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tuner.errors import LocalFunctionError

CONVENTIONAL_FILES = ("lambda_function.py", "handler.py", "app.py", "index.py", "main.py")
CONVENTIONAL_NODE_FILES = tuple(
    f"{stem}{suffix}" for stem in ("index", "handler", "app", "main") for suffix in (".mjs", ".js", ".cjs")
)
HANDLER_NAMES = ("lambda_handler", "handler")
NODE_HANDLER_NAMES = ("handler", "lambda_handler")
BOOTSTRAP = "bootstrap"

_OTHER_RUNTIMES = {".ts": "TypeScript", ".java": "Java", ".go": "Go", ".rb": "Ruby", ".rs": "Rust", ".cs": ".NET"}
_NODE_SUFFIXES = (".mjs", ".js", ".cjs")
_HANDLER = re.compile(r"(?P<module>[\w./-]+)\.(?P<function>\w+)")
_NODE_EXPORT = r"(?:\bexports\.{0}\s*=|\bexport\s+(?:(?:const|let|var|class|(?:async\s+)?function\*?)\s+){0}\b|"
_NODE_EXPORT += r"\bexport\s*\{{[^}}]*\b{0}\b[^}}]*\}}|\bmodule\.exports\s*=\s*\{{[^}}]*\b{0}\b)"

_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""The last two are the parser's own: it raises them for expressions that are nested too deeply."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    data: bytes
    """The content; the target of a symbolic link."""
    executable: bool = False
    is_link: bool = False


class Language(StrEnum):
    PYTHON = "Python"
    NODE = "Node.js"
    EXECUTABLE = "an executable bootstrap"


@dataclass(frozen=True, slots=True)
class Found:
    """A handler as Lambda names it, and what has to run it."""

    handler: str
    language: Language


def checked_handler(path: Path, files: Mapping[str, SourceFile], handler: str) -> Found:
    """The handler that the user named; LocalFunctionError where the files do not have it."""
    if BOOTSTRAP in files:
        return Found(handler, Language.EXECUTABLE)
    match = _HANDLER.fullmatch(handler)
    if match is None:
        raise LocalFunctionError(
            f"{handler!r} is not a handler.", hint="Write it as module.function, for example app.handler."
        )
    python, node = _candidate_files(match["module"])
    file = next((name for name in (*python, *node) if name in files), None)
    if file is None:
        raise LocalFunctionError(
            f"--handler {handler} means {python[0]} or {node[0]}, which are not in {path}.",
            hint=f"There are: {listed(_top_level(files)) or 'no Python or JavaScript files'}.",
        )
    if file in node:  # what a JavaScript module exports is only known when it runs
        return Found(handler, Language.NODE)
    if not _defines(_parse(path, file, files[file].data), match["function"]):
        raise LocalFunctionError(
            f"{path / file} defines no {match['function']}.", hint="Check the spelling of --handler module.function."
        )
    return Found(handler, Language.PYTHON)


def _candidate_files(module: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    dotted = module.replace(".", "/")
    python = (f"{dotted}.py", f"{dotted}/__init__.py")
    return python, tuple(f"{module}{suffix}" for suffix in _NODE_SUFFIXES)


def find_handler(path: Path, files: Mapping[str, SourceFile]) -> Found:
    """An executable ``bootstrap``; else conventional file names; else any one file that defines a handler."""
    if BOOTSTRAP in files:
        if not files[BOOTSTRAP].executable:
            raise LocalFunctionError(
                f"{path / BOOTSTRAP} is not executable.",
                hint=f"Type `chmod +x {shlex.quote(str(path / BOOTSTRAP))}`, then run again.",
            )
        return Found(BOOTSTRAP, Language.EXECUTABLE)
    present = _top_level(files)
    conventional = _handlers(path, files, [file for file in _conventional() if file in present])
    # A broken file next to the handler is none of our business, unless it is all there is.
    candidates = conventional or _handlers(path, files, present, lenient=True) or _handlers(path, files, present)
    if not candidates:
        raise _no_handler(path, files)
    if len(candidates) > 1:
        names = [found.handler for found in candidates]
        raise LocalFunctionError(
            f"{path} has {len(names)} possible handlers: {listed(names)}.",
            hint=f"Say which one, for example --handler {shlex.quote(names[0])}",
        )
    return candidates[0]


def _conventional() -> tuple[str, ...]:
    return CONVENTIONAL_FILES + CONVENTIONAL_NODE_FILES


def _handlers(
    path: Path, files: Mapping[str, SourceFile], names: Sequence[str], *, lenient: bool = False
) -> list[Found]:
    """The handlers in these files, in their order. ``lenient`` passes over files that cannot be parsed."""
    found = []
    for file in names:
        source = files[file].data
        if lenient and file.endswith(".py") and not _parses(source):
            continue
        name = _handler_in(path, file, source)
        if name is not None:
            language = Language.PYTHON if file.endswith(".py") else Language.NODE
            found.append(Found(f"{file.rpartition('.')[0]}.{name}", language))
    return found


def _no_handler(path: Path, files: Mapping[str, SourceFile]) -> LocalFunctionError:
    others = sorted({_OTHER_RUNTIMES[suffix] for name in files if (suffix := Path(name).suffix) in _OTHER_RUNTIMES})
    if others and not _top_level(files):
        return LocalFunctionError(
            f"{path} looks like {listed(others)}; the embedded Lambda runs {listed(tuple(Language))}.",
            hint="Build it to a bootstrap or to JavaScript, or leave out --local and name the deployed function.",
        )
    return LocalFunctionError(
        f"No handler in {path}: looked in {listed(CONVENTIONAL_FILES)}, index.mjs and every other .py, .mjs, .js and "
        f".cjs file for a function named {' or '.join(HANDLER_NAMES)}.",
        hint="Name it with --handler module.function.",
    )


def _top_level(files: Mapping[str, SourceFile]) -> tuple[str, ...]:
    return tuple(sorted(name for name in files if "/" not in name and name.endswith((".py", *_NODE_SUFFIXES))))


def _handler_in(path: Path, file: str, source: bytes) -> str | None:
    if not file.endswith(".py"):
        text = source.decode("utf-8", "replace")
        return next((name for name in NODE_HANDLER_NAMES if re.search(_NODE_EXPORT.format(name), text)), None)
    tree = _parse(path, file, source)
    return next((name for name in HANDLER_NAMES if _defines(tree, name)), None)


def _parses(source: bytes) -> bool:
    try:
        ast.parse(source)
    except _UNPARSABLE:
        return False
    return True


def _parse(path: Path, file: str, source: bytes) -> ast.Module:
    try:
        return ast.parse(source, filename=file)
    except _UNPARSABLE as error:
        line = getattr(error, "lineno", None) or 1
        reason = getattr(error, "msg", None) or str(error) or type(error).__name__
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


def listed(names: Sequence[str]) -> str:
    return ", ".join(names)
