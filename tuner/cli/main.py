"""From errors to exit codes, in one place."""

from __future__ import annotations

import os
import sys

from tuner.cli.app import app
from tuner.cli.display import guard_streams, print_error
from tuner.cli.interrupt import end_on_signals, ignore_signals
from tuner.cli.streams import BROKEN_DISK, ExitStatus, delivered, forgive_standard_error, not_written
from tuner.errors import ExitCode, TunerError

THREADS_OF_NUMPY = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Read when numpy is loaded. Its other threads go on spinning after a product of matrices: between two waves they
took cores from the embedded Lambda, whose calls came out up to 40 % longer, and matrices this small gain nothing."""


def main() -> None:
    """The ``tuner`` command. Typer itself ends with 2 on a wrong command line and with 130 on Ctrl-C."""
    for name in THREADS_OF_NUMPY:
        os.environ.setdefault(name, "1")
    forgive_standard_error()
    guard_streams()
    end_on_signals()
    try:
        sys.exit(delivered(_exit_code()))
    finally:
        # Everything is done and said: while the interpreter ends, a signal would only replace the exit code.
        ignore_signals()


def _exit_code() -> ExitStatus:
    try:
        app()
    except TunerError as error:
        print_error(error)
        return error.exit_code
    except OSError as error:
        if error.errno not in BROKEN_DISK:
            raise
        print_error(not_written(error))
        return ExitCode.TARGET
    except SystemExit as end:
        return end.code
    return ExitCode.OK
