"""What the shell is offered: from the package and the project's configuration, never from AWS."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tuner.errors import TunerError

SIZES = ("128..3008", "128..10240", "128,256,512,1024,1769", "512", "1769")


def complete_function(incomplete: str) -> list[str]:
    """Functions of the configuration; the shell itself completes folders where there are none."""
    return _beginning(incomplete, _configured("functions"))


def complete_profile(incomplete: str) -> list[str]:
    """Profiles of the configuration."""
    return _beginning(incomplete, _configured("profiles"))


def complete_memory(incomplete: str) -> list[str]:
    """Ways to write sizes, and the edge of one vCPU."""
    return _beginning(incomplete, SIZES)


def complete_region(incomplete: str) -> list[str]:
    """Regions of the price table."""
    from tuner.pricing import price_table

    return _beginning(incomplete, sorted(price_table()))


def complete_event(incomplete: str) -> list[str]:
    """Names of the catalogue."""
    from tuner.inputs.events import catalogue

    return _beginning(incomplete, [event.name for event in catalogue()])


def completion_script(shell: str) -> str:
    """The text that a shell has to read once."""
    from typer._completion_shared import get_completion_script

    return get_completion_script(prog_name="tuner", complete_var="_TUNER_COMPLETE", shell=shell)


def _configured(table: str) -> Iterable[str]:
    """The names in a table; none where the file is missing or wrong: completion is no place for errors."""
    from tuner.inputs.config import find_config, read_config

    try:
        found = find_config(Path.cwd())
        return () if found is None else tuple(getattr(read_config(found), table))
    except TunerError:
        return ()


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
