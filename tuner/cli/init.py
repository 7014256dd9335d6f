"""``tuner init``: a configuration for this project, from what its folder shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuner.cli.inputs import command_line
from tuner.errors import ExitCode, LocalFunctionError, UsageError
from tuner.inputs.config import FILE_NAME
from tuner.inputs.projects.found import Project, ProjectFunction, read_project
from tuner.inputs.projects.starter import Starter, starter_config, starter_of
from tuner.local.package import read_function

MOST_FOLDERS = 200
_SOURCES = ("*.py", "*.mjs", "*.cjs", "*.js", "bootstrap")


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOptions:
    """``tuner init`` as it was typed."""

    folder: Path
    force: bool
    print_only: bool


def init_command(options: InitOptions) -> int:
    """Write tuner.toml and say what to type next; returns the exit code."""
    project = read_project(options.folder)
    deployed = tuple(starter_of(found, payload=_event(options.folder, found)) for found in project.functions)
    local = () if deployed else tuple(_local_functions(options.folder))
    text = starter_config((*deployed, *local))
    if options.print_only:
        print(text, end="")
        return ExitCode.OK
    path = options.folder / FILE_NAME
    _write(path, text, force=options.force)
    _tell(path, project, (*deployed, *local))
    return ExitCode.OK


def _tell(path: Path, project: Project, functions: tuple[Starter, ...]) -> None:
    print(f"Wrote {path}.")
    for reason in project.unread:
        print(f"Not read: {reason}")
    for function in functions:
        print(f"  {function.key}: {function.remark}")
    print("\nNext:")
    ready = next((function for function in functions if function.identifier is not None), None)
    if ready is not None:
        print(f"  {command_line('tuner', 'run', ready.key)}")
    elif functions:
        print(f"  write the deployed name of {functions[0].key} into {path}, then")
        print(f"  {command_line('tuner', 'run', functions[0].key)}")
    else:
        print("  tuner run FUNCTION, with the name of a deployed function")
        print("  tuner run FOLDER --local, with the folder of a handler")
    print("  tuner config check")


def _event(folder: Path, found: ProjectFunction) -> str | None:
    """An event kept for the function where people keep them."""
    key = found.key
    places = (folder / "events" / f"{key}.json", folder / "events" / f"{key.lower()}.json")
    return next((path.relative_to(folder).as_posix() for path in places if path.is_file()), None)


def _local_functions(folder: Path) -> Iterator[Starter]:
    """Folders whose code can run on the embedded Lambda."""
    for place in _code_folders(folder):
        try:
            function = read_function(place)
        except LocalFunctionError:
            continue
        shown = place.relative_to(folder).as_posix()
        yield Starter(
            key=function.name,
            remark=f"{function.handler}, {function.runtime}, on this machine",
            identifier=shown if shown != "." else str(place),
            local=True,
        )


def _code_folders(folder: Path) -> Iterator[Path]:
    hidden_or_tests = {"tests", "test", "node_modules", "venv"}
    inner = (place for depth in ("*", "*/*") for place in sorted(folder.glob(depth)) if place.is_dir())
    places = [
        place
        for place in inner
        if not any(part.startswith(".") or part in hidden_or_tests for part in place.relative_to(folder).parts)
    ]
    for place in (folder, *places[:MOST_FOLDERS]):
        if any(next(place.glob(pattern), None) for pattern in _SOURCES):
            yield place


def _write(path: Path, text: str, *, force: bool) -> None:
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"{path} is there already, and was left as it is.",
            hint="Look at it with `tuner config show`, or overwrite it with --force.",
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", hint="Give a folder you own.") from error
