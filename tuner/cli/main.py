"""From errors to exit codes, in one place."""

from __future__ import annotations

import sys

from tuner.cli.app import app
from tuner.errors import TunerError


def main() -> None:
    """The ``tuner`` command. Typer itself ends with 2 on a wrong command line and with 130 on Ctrl-C."""
    try:
        app()
    except TunerError as error:
        print_error(error)
        sys.exit(error.exit_code)


def print_error(error: TunerError) -> None:
    """What happened, and what to do next."""
    print(f"Error: {error.message}\n{error.hint}", file=sys.stderr)
