"""The commands with the project's configuration as their defaults: flag > TUNER_* > file > default.

Typer asks a context's ``default_map`` for what was not typed. This group fills it just before a command is parsed,
when its name, and by a look ahead its FUNCTION, are known; the commands themselves know nothing of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer.core
from typer._click.core import Context
from typer._click.exceptions import UsageError

from tuner.cli.display import commands_only

if TYPE_CHECKING:
    from tuner.inputs.config import Configuration, Setting, Vocabulary

CONFIG_VARIABLE = "TUNER_CONFIG"
PROFILE_VARIABLE = "TUNER_CONFIG_PROFILE"

CONFIGURED = ("run", "plan", "cold-start", "gate", "apply")
"""Commands that take defaults from the file. `tuner recover` must work whatever is in it."""

NOT_CONFIGURABLE = frozenset(
    {"help", "version", "yes", "resume", "dry-run", "function", "write", "resource", "apply"}
)
"""Consent, and what an option of this name changes, belong to one command line."""

HOOKS = ("before", "after")
"""Options that are commands to run."""

ALL = "--all"
"""`tuner run --all` is a command of its own: it takes no FUNCTION, and options that each run reads."""

_PATHS = frozenset({"payload", "function", "base", "head", "simulate", "faults", "report", "charts", "out"})
_JOINED = frozenset({"memory", "arch"})
_HELP = frozenset({"-h", "--help"})
_OPPOSITES = {"quiet": frozenset({"--verbose", "-v"}), "verbose": frozenset({"--quiet", "-q"})}
"""What is typed wins over the opposite that is written down."""


class ConfiguredGroup(typer.core.TyperGroup):
    """``tuner`` itself."""

    def invoke(self, ctx: Context) -> Any:
        """Help is Typer's own text and keeps its colours; with it no command is run."""
        if _HELP & set(sys.argv):
            return super().invoke(ctx)
        with commands_only():
            return super().invoke(ctx)

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name == "run" and ALL in rest:
            return super().resolve_command(ctx, ["run-all", *(word for word in rest if word != ALL)])
        if command is None or name not in CONFIGURED or _HELP & set(rest):
            return name, command, rest
        configuration = load(ctx.params.get("config"), root=self)
        typed = _look_ahead(ctx, command, rest)
        settings = effective(command, configuration, typed, ctx.params.get("config_profile"))
        options = parameters(command)
        settings = {key: found for key, found in settings.items() if not _OPPOSITES.get(key, frozenset()) & set(rest)}
        _announce_hooks(settings, rest)
        values = default_values(command, settings, configuration.path.parent if configuration else None)
        ctx.default_map = {name: {options[key].name: value for key, value in values.items()}}
        meant = values.get("function") if _is_named(settings) else None
        return name, command, _with_identifier(ctx, command, rest, typed, meant)


def _announce_hooks(settings: Mapping[str, Setting], words: Sequence[str]) -> None:
    """Say which commands a file has run: whoever typed `tuner run` has not seen them."""
    from tuner.inputs.config import ENVIRONMENT_PREFIX

    for hook in HOOKS:
        setting = settings.get(hook)
        typed = any(word == f"--{hook}" or word.startswith(f"--{hook}=") for word in words)
        if setting is not None and not typed and not setting.origin.startswith(ENVIRONMENT_PREFIX):
            print(f"{setting.origin} runs a command {hook} each invocation: {setting.value}", file=sys.stderr)


def load(path: Path | None = None, *, root: Any = None) -> Configuration | None:
    """The configuration of this project, checked against the commands of ``root``, by default ``tuner``'s.

    ConfigError where it cannot be used.
    """
    from tuner.inputs.config import ConfigError, find_config, problems, read_config

    named = path or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    found = named or find_config(Path.cwd())
    if found is None:
        return None
    configuration = read_config(found)
    wrong = problems(configuration, vocabulary(root or root_command()))
    if wrong:
        raise ConfigError(str(wrong[0]), hint="`tuner config check` lists everything that is wrong with it.")
    return configuration


def root_command() -> Any:
    """``tuner`` with all its commands. They import this module: what they are is only known when it is asked."""
    from tuner.cli.app import app

    return typer.main.get_command(app)


def vocabulary(root: Any) -> Vocabulary:
    """What may stand in a configuration file, from the commands themselves."""
    from tuner.inputs.config import Vocabulary

    commands = {name: command for name, command in root.commands.items() if name in CONFIGURED}
    return Vocabulary(commands={name: frozenset(parameters(command)) for name, command in commands.items()})


def parameters(command: Any) -> dict[str, Any]:
    """The parameters of a command that may be configured, by the name they have in a file."""
    return {key: parameter for parameter in command.params for key in _keys(parameter)}


def effective(
    command: Any, configuration: Configuration | None, function: str | None, profile: str | None
) -> dict[str, Setting]:
    """What holds for ``command`` beside its flags and defaults, by option."""
    from tuner.inputs.config import from_environment

    options = parameters(command)
    profile = profile or os.environ.get(PROFILE_VARIABLE) or None
    found = configuration.settings(command.name, function, profile) if configuration else {}
    return {key: value for key, value in found.items() if key in options} | from_environment(os.environ, options)


def default_values(command: Any, settings: Mapping[str, Setting], folder: Path | None) -> dict[str, Any]:
    """``settings`` as Typer's values, by option: lists where an option may be repeated, paths from ``folder``."""
    options = parameters(command)
    return {key: _value(key, options[key], setting, folder) for key, setting in settings.items()}


def _value(key: str, parameter: Any, setting: Setting, folder: Path | None) -> Any:
    from tuner.inputs.config import ENVIRONMENT_PREFIX

    value = setting.value
    given = value if isinstance(value, list) else [value]
    if folder is not None and key in _PATHS and not setting.origin.startswith(ENVIRONMENT_PREFIX):
        given = [_from_folder(item, folder) for item in given]
    if getattr(parameter, "multiple", False):
        return [str(item) for item in given]
    if isinstance(value, list) and key in _JOINED:
        return ",".join(map(str, given))
    return given[0] if not isinstance(value, list) and not isinstance(value, float) else str(value)


def _from_folder(value: object, folder: Path) -> object:
    """A file that is there beside the configuration file; what is no file there is left as it is written."""
    if not isinstance(value, str) or folder == Path.cwd() or not value:
        return value
    name, separator, weight = value.rpartition("=")
    source, rest = (name, separator + weight) if name else (value, "")
    beside = folder / source
    return f"{beside}{rest}" if _is_there(beside) else value


def _is_there(path: Path) -> bool:
    """False also for what cannot be the name of a file: an event, or an ARN of a thousand characters."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _keys(parameter: Any) -> Iterator[str]:
    if parameter.param_type_name == "argument":
        if parameter.name == "function":
            yield "function"
        return
    for name in parameter.opts:
        key = name.removeprefix("--")
        if name.startswith("--") and key not in NOT_CONFIGURABLE:
            yield key


def _look_ahead(ctx: Context, command: Any, words: Sequence[str]) -> str | None:
    """The FUNCTION among ``words``; None where there is none, or they are wrong: the command says how."""
    ahead = command.context_class(command, info_name=command.name, parent=ctx, resilient_parsing=True)
    try:
        typed, _, _ = command.make_parser(ahead).parse_args(args=list(words))
    except UsageError:
        return None
    function = typed.get("function")
    return function if isinstance(function, str) else None


def _is_named(settings: Mapping[str, Setting]) -> bool:
    """Whether the identifier comes from the function's own table."""
    return "function" in settings and "[functions." in settings["function"].origin


def _with_identifier(ctx: Context, command: Any, words: list[str], typed: str | None, meant: str | None) -> list[str]:
    """``words`` with the name of a function in the file replaced by what it stands for.

    The same word may be the value of an option as well: the one to replace is where FUNCTION changes with it.
    """
    if typed is None or meant is None or meant == typed:
        return words
    for number, word in enumerate(words):
        changed = [*words[:number], meant, *words[number + 1 :]]
        if word == typed and _look_ahead(ctx, command, changed) == meant:
            return changed
    return words
