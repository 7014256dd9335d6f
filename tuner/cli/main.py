"""From errors to exit codes, in one place."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from tuner.cli.app import app
from tuner.cli.display import guard_streams, print_error
from tuner.errors import TunerError

THREADS_OF_NUMPY = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Read when numpy is loaded. Its other threads go on spinning after a product of matrices: between two waves they
took cores from the embedded Lambda, whose calls came out up to 40 % longer, and matrices this small gain nothing."""


def main() -> None:
    """The ``tuner`` command. Typer itself ends with 2 on a wrong command line and with 130 on Ctrl-C."""
    for name in THREADS_OF_NUMPY:
        os.environ.setdefault(name, "1")
    guard_streams()
    signal.signal(signal.SIGTERM, _as_ctrl_c)  # before and after a measurement nothing needs more care than that
    try:
        app()
    except TunerError as error:
        print_error(error)
        sys.exit(error.exit_code)
    finally:
        # Everything is done and said: while the interpreter ends, a signal would only replace the exit code.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def _as_ctrl_c(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt
