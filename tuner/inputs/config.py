"""``tuner.toml``, or ``[tool.tuner]`` of pyproject.toml: what a project always wants, written down once.

Keys are the long names of options, at four places; the more particular wins::

    memory = "128..3008"        # every command that has the option

    [run]                       # one command
    strategy = "cost"

    [functions.thumbnail]       # one function, whichever command measures it
    function = "arn:aws:..."    # what the name stands for: an identifier, or a folder with --local
    payload = "events/put.json"
    budget = {...}              # read by the gate, as is regression

    [profiles.ci]               # chosen by --config-profile or TUNER_CONFIG_PROFILE
    max-cost = "$0.02"

Nothing here knows which options there are: the command line says so (``Vocabulary``).
"""

from __future__ import annotations

import os
import shlex
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from tuner.errors import IdentifierError, UsageError
from tuner.inputs.files import LARGEST_SETTINGS_BYTES, UnreadableFileError, read_bounded
from tuner.inputs.identifiers import parse_function

FILE_NAME = "tuner.toml"
PROJECT_FILE = "pyproject.toml"
ENVIRONMENT_PREFIX = "TUNER_"
GATE_TABLES = ("budget", "regression")
"""Tables of a function that the gate reads (``inputs.budgets``); they are left as they are written."""
FUNCTION = "function"

_FUNCTIONS, _PROFILES = "functions", "profiles"

Value = str | int | float | bool | list[str | int | float | bool]
Table = Mapping[str, object]


class ConfigError(UsageError):
    """A configuration file that cannot be used."""

    slug = "config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The options of each command that may be configured."""

    commands: Mapping[str, Collection[str]]

    @property
    def options(self) -> frozenset[str]:
        return frozenset(option for options in self.commands.values() for option in options)


@dataclass(frozen=True, slots=True)
class Setting:
    """A value, and where it came from, in words for people."""

    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the file: where, what, and what may have been meant."""

    where: str
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        meant = f" Did you mean {self.suggestion}?" if self.suggestion else ""
        return f"{self.where}: {self.message}{meant}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One file, its tables apart. Keys are written with dashes, as options are."""

    path: Path
    general: Table = field(default_factory=dict)
    commands: Mapping[str, Table] = field(default_factory=dict)
    functions: Mapping[str, Table] = field(default_factory=dict)
    profiles: Mapping[str, Table] = field(default_factory=dict)

    def named(self, function: str | None) -> str | None:
        """The name under which ``function``, as it was typed, is configured; None where it is not."""
        if function is None:
            return None
        if function in self.functions:
            return function
        found = next((name for name in self.functions if self._stands_for(name, function)), None)
        found = found or _plain_name(function)
        return found if found in self.functions else None

    def _stands_for(self, name: str, function: str) -> bool:
        """Whether ``function`` is the identifier of a table, or the folder that it names from where the file is."""
        meant = self.functions[name].get(FUNCTION)
        return isinstance(meant, str) and function in (meant, str(self.path.parent / meant))

    def gate_tables(self, function: str | None) -> dict[str, Table]:
        """The tables ``budget`` and ``regression`` of a function, as far as there are any, as they are written."""
        name = self.named(function)
        own = self.functions[name] if name else {}
        return {key: table for key in GATE_TABLES if isinstance(table := own.get(key), Mapping)}

    def settings(self, command: str, function: str | None = None, profile: str | None = None) -> dict[str, Setting]:
        """The values that hold for a command, by option. ConfigError for a profile that does not exist."""
        merged: dict[str, Setting] = {}
        for where, table in self._layers(command, function, profile):
            merged |= {key: Setting(value, where) for key, value in table.items() if key not in GATE_TABLES}
        return merged

    def _layers(self, command: str, function: str | None, profile: str | None) -> Iterator[tuple[str, Table]]:
        """The tables that speak of a command, the most particular last."""
        file = self.path.name
        yield file, self.general
        yield f"{file} [{command}]", self.commands.get(command, {})
        name = self.named(function)
        if name is not None:
            yield f"{file} [functions.{name}]", self.functions[name]
        if profile is not None:
            if profile not in self.profiles:
                raise ConfigError(f"{file} has no [profiles.{profile}].", hint=_instead(profile, self.profiles))
            yield f"{file} [profiles.{profile}]", self.profiles[profile]


def find_config(folder: Path) -> Path | None:
    """The nearest file in ``folder`` or above it: tuner.toml, or a pyproject.toml with a [tool.tuner] table.

    The search ends at the root of a repository and at the home folder. ConfigError for a tuner.toml above
    ``folder`` that belongs to somebody else: its hooks are commands, and whoever can write to a folder above (all
    can, to /tmp) would have them run here.
    """
    for place in (folder, *folder.parents):
        own, project = place / FILE_NAME, place / PROJECT_FILE
        climbed = place != folder
        if own.is_file():
            if climbed:
                _refuse_foreign(own)
            return own
        if project.is_file() and not (climbed and _foreign_owner(project)) and "tuner" in _tool_tables(project):
            return project
        if place == _home() or (place / ".git").exists():
            return None
    return None


def _refuse_foreign(path: Path) -> None:
    owner = _foreign_owner(path)
    if owner is not None:
        raise ConfigError(
            f"{path} belongs to another user ({owner}) and was not read: a configuration can run commands.",
            hint=f"If you trust it, name it: --config {shlex.quote(str(path))}. Else give this project a "
            f"{FILE_NAME} of its own.",
        )


def _foreign_owner(path: Path) -> int | None:
    """The user id of the file, or of the link to it, where that is neither ours nor root's."""
    trusted = (os.geteuid(), 0)
    owners = (path.lstat().st_uid, path.stat().st_uid)
    return next((owner for owner in owners if owner not in trusted), None)


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # a user without an entry and without HOME
        return None


def read_config(path: Path) -> Configuration:
    """Raises ConfigError where the file is no TOML, or a table is none. Keys are checked by ``problems``."""
    content = _toml(path)
    table = _tool_tables(path).get("tuner") if path.name == PROJECT_FILE else content
    if table is None:
        raise ConfigError(f"{path} has no table [tool.tuner].", hint=f"Add one, or write a {FILE_NAME}.")
    tables = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    return Configuration(
        path=path,
        general=_dashed({key: value for key, value in table.items() if key not in tables}),
        commands={key: _dashed(value) for key, value in tables.items() if key not in (_FUNCTIONS, _PROFILES)},
        functions=_tables(path, tables, _FUNCTIONS),
        profiles=_tables(path, tables, _PROFILES),
    )


def problems(configuration: Configuration, vocabulary: Vocabulary) -> tuple[Problem, ...]:
    """Every key that means nothing, with the nearest one that does."""
    options, file = vocabulary.options, configuration.path.name
    found = list(_unknown(file, configuration.general, options))
    for command, table in configuration.commands.items():
        if command in vocabulary.commands:
            found += _unknown(f"{file} [{command}]", table, vocabulary.commands[command])
        else:
            known = (*vocabulary.commands, _FUNCTIONS, _PROFILES)
            found.append(Problem(f"{file} [{command}]", "there is no such table.", _nearest(command, known)))
    for name, table in configuration.functions.items():
        found += _unknown(f"{file} [functions.{name}]", table, options | {*GATE_TABLES, FUNCTION})
    for name, table in configuration.profiles.items():
        found += _unknown(f"{file} [profiles.{name}]", table, options)
    return tuple(found)


def from_environment(environment: Mapping[str, str], options: Collection[str]) -> dict[str, Setting]:
    """What ``TUNER_MAX_COST`` and its like say, by option; empty values say nothing."""
    named = {option: variable_name(option) for option in options}
    return {
        option: Setting(environment[variable], f"{variable} (environment)")
        for option, variable in named.items()
        if environment.get(variable)
    }


def variable_name(option: str) -> str:
    """``max-cost`` is TUNER_MAX_COST."""
    return ENVIRONMENT_PREFIX + option.replace("-", "_").upper()


def _plain_name(function: str) -> str | None:
    try:
        return parse_function(function).name
    except IdentifierError:  # a folder, or something that the command itself will refuse
        return None


def _toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(read_bounded(path, limit_bytes=LARGEST_SETTINGS_BYTES, pipes=True).decode("utf-8"))
    except UnreadableFileError as error:
        raise ConfigError(f"{path} {error}.", hint="Give another file with --config.") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, a number of 5,000 digits; too many brackets
        reason = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        raise ConfigError(
            f"{path} is not valid TOML: {reason}.", hint="Fix it, and run `tuner config check`."
        ) from error


def _tool_tables(path: Path) -> dict[str, dict[str, object]]:
    tool = _toml(path).get("tool")
    return {name: table for name, table in tool.items() if isinstance(table, dict)} if isinstance(tool, dict) else {}


def _tables(path: Path, content: Mapping[str, Mapping[str, object]], name: str) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for key, value in content.get(name, {}).items():
        if not isinstance(value, Mapping):
            raise ConfigError(f"{path.name}: {name}.{key} is no table.", hint=f"Write it as [{name}.{key}].")
        found[key] = _dashed(value)
    return found


def _dashed(table: Mapping[str, object]) -> dict[str, object]:
    return {key.replace("_", "-"): value for key, value in table.items()}


def _unknown(where: str, table: Table, known: Collection[str]) -> Iterator[Problem]:
    for key in table:
        if key not in known:
            yield Problem(where, f"{key} is no option.", _nearest(key, known))


def _nearest(word: str, known: Collection[str]) -> str | None:
    return next(iter(get_close_matches(word, sorted(known), n=1)), None)


def _instead(profile: str, profiles: Collection[str]) -> str:
    return f"There is {', '.join(profiles)}." if profiles else f"Add a table [profiles.{profile}]."
