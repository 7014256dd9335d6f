"""Runtimes: how a handler of each language is started inside an execution environment."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from importlib.util import find_spec

from tuner.local.runtimes import python

_PYTHON = re.compile(r"python3\.\d+")


def supported() -> tuple[str, ...]:
    """The runtime identifiers that really run here, newest last."""
    return (f"python{sys.version_info.major}.{sys.version_info.minor}",) if find_spec("awslambdaric") else ()


def command(runtime: str, handler: str) -> tuple[str, ...] | None:
    """What to execute for a function, or None where this machine cannot run the runtime.

    Every Python version is run by the interpreter that runs tuner; ``/tuner/about`` says which one that is.
    """
    return python.command(handler) if _PYTHON.fullmatch(runtime) else None


def environment(runtime: str) -> Mapping[str, str]:
    """Variables that the runtime itself brings along."""
    return {"AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}"}
