"""``tuner config``: what holds for a command and where it comes from, and whether the file is right."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from typer._click.core import Context
from typer._click.exceptions import BadParameter

from tuner.cli.configured import (
    CONFIG_VARIABLE,
    PROFILE_VARIABLE,
    default_values,
    effective,
    load,
    parameters,
    root_command,
    vocabulary,
)
from tuner.cli.display import columns
from tuner.errors import ExitCode, UsageError
from tuner.inputs.budgets import read_budgets, read_rules
from tuner.inputs.config import (
    ENVIRONMENT_PREFIX,
    ConfigError,
    Configuration,
    Problem,
    Setting,
    find_config,
    problems,
    read_config,
    variable_name,
)
from tuner.inputs.memory import parse_memory
from tuner.render.table import render_columns
from tuner.units import parse_percent, parse_seconds, parse_usd

SHOW_SCHEMA_VERSION = 1

DEFAULT = "default"

_READERS: Mapping[str, Callable[[str], object]] = {
    "memory": parse_memory,
    "tolerance": parse_percent,
    "confidence": parse_percent,
    "max-cost": parse_usd,
    "price-per-gb-s": parse_usd,
    "price-per-request": parse_usd,
    "max-time": parse_seconds,
}
_OTHER_VARIABLES = frozenset({"TUNER_STATE_DIR", CONFIG_VARIABLE, PROFILE_VARIABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOptions:
    """``tuner config show`` as it was typed."""

    command: str
    function: str | None
    profile: str | None
    file: Path | None
    json_output: bool


def show_command(options: ShowOptions) -> int:
    """Print every option of a command with its value and where that comes from."""
    command = _command(options.command)
    configuration = load(options.file)
    settings = _with_defaults(command, effective(command, configuration, options.function, options.profile))
    if options.json_output:
        rows = {key: {"value": setting.value, "origin": setting.origin} for key, setting in settings.items()}
        head = {"schema_version": SHOW_SCHEMA_VERSION, "file": str(configuration.path) if configuration else None}
        print(json.dumps({**head, "command": options.command, "options": rows}, indent=2, default=str))
        return ExitCode.OK
    print(f"tuner {options.command}{f' {options.function}' if options.function else ''}")
    print(f"file: {configuration.path if configuration else 'none; `tuner init` writes one'}\n")
    table = [(key, _shown(setting.value), setting.origin) for key, setting in settings.items()]
    print(render_columns(("option", "value", "from"), table, width=columns()), end="")
    return ExitCode.OK


def check_command(file: Path | None) -> int:
    """Print everything that is wrong with the configuration; 2 where something is."""
    found = file or find_config(Path.cwd())
    if found is None:
        raise ConfigError("There is no tuner.toml here or above.", hint="`tuner init` writes one.")
    configuration = read_config(found)
    root = root_command()
    wrong = [*problems(configuration, vocabulary(root)), *_wrong_values(configuration, root), *_wrong_variables(root)]
    for problem in wrong:
        print(problem)
    if wrong:
        return ExitCode.USAGE
    functions = f"; functions: {', '.join(configuration.functions)}" if configuration.functions else ""
    print(f"{found} is right{functions}.")
    return ExitCode.OK


def _with_defaults(command: Any, settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """All options of ``command``, those that were set nowhere with their default."""
    return {
        key: settings.get(key) or Setting(_default(parameter), DEFAULT)
        for key, parameter in parameters(command).items()
    }


def _default(parameter: Any) -> object:
    default = parameter.default
    return getattr(default, "value", default)


def _wrong_values(configuration: Configuration, root: Any) -> Iterator[Problem]:
    """Values that a command would refuse, each once."""
    seen: set[Problem] = set()
    for name in vocabulary(root).commands:
        command = root.commands[name]
        for function, profile in _combinations(configuration):
            settings = {
                key: setting
                for key, setting in configuration.settings(name, function, profile).items()
                if key in parameters(command)
            }
            seen |= {problem for key in settings if (problem := _refused(command, key, settings, configuration))}
    yield from sorted(seen, key=str)
    yield from _wrong_gate_tables(configuration)


def _combinations(configuration: Configuration) -> Iterator[tuple[str | None, str | None]]:
    yield None, None
    yield from ((name, None) for name in configuration.functions)
    yield from ((None, name) for name in configuration.profiles)


def _refused(command: Any, key: str, settings: Mapping[str, Setting], configuration: Configuration) -> Problem | None:
    setting, parameter = settings[key], parameters(command)[key]
    value = default_values(command, {key: setting}, configuration.path.parent)[key]
    try:
        converted = parameter.process_value(Context(command, info_name=command.name), value)
        if key in _READERS and isinstance(converted, str):
            _READERS[key](converted)
    except BadParameter as error:
        return Problem(setting.origin, f"{key} = {_shown(setting.value)}: {error.message}")
    except UsageError as error:
        return Problem(setting.origin, f"{key} = {_shown(setting.value)}: {error.message} {error.hint}")
    return None


def _wrong_gate_tables(configuration: Configuration) -> Iterator[Problem]:
    readers: Mapping[str, Callable[[Mapping[str, object]], object]] = {
        "budget": read_budgets,
        "regression": read_rules,
    }
    for function in configuration.functions:
        for name, table in configuration.gate_tables(function).items():
            try:
                readers[name](table)
            except UsageError as error:
                where = f"{configuration.path.name} [functions.{function}.{name}]"
                yield Problem(where, f"{error.message} {error.hint}")


def _wrong_variables(root: Any) -> Iterator[Problem]:
    """TUNER_ variables that nothing reads: most likely misspelt."""
    known = {variable_name(option) for option in vocabulary(root).options} | _OTHER_VARIABLES
    for name in sorted(os.environ):
        if name.startswith(ENVIRONMENT_PREFIX) and name not in known:
            near = next(iter(get_close_matches(name, sorted(known), n=1)), None)
            yield Problem(name, "no option is read from this variable.", near)


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _command(name: str) -> Any:
    root = root_command()
    commands = vocabulary(root).commands
    if name not in commands:
        raise UsageError(
            f"`tuner {name}` takes nothing from a configuration.",
            hint=f"Use --command {', '.join(sorted(commands))}.",
        )
    return root.commands[name]
