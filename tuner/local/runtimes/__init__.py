"""Runtimes: how a handler of each language is started inside an execution environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tuner.local.runtimes import custom, node, python
from tuner.local.runtimes.launch import Launch

__all__ = ["OWN_PYTHON", "Launch", "Runtimes", "supported"]

OWN_PYTHON = f"python{python.OWN_VERSION}"
"""The runtime of the interpreter that runs tuner."""


def supported() -> tuple[str, ...]:
    """The runtime identifiers that really run on this machine."""
    return tuple(
        [f"python{version}" for version in python.interpreters()]
        + [f"nodejs{major}.x" for major in node.executables()]
        + list(custom.IDENTIFIERS)
    )


class Runtimes:
    """What runs here, looked up once. ``folder`` takes what the runtimes themselves need on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pythons: Mapping[str, Path] = python.interpreters()
        self._nodes: Mapping[str, Path] = node.executables()
        self.supported = supported()

    def launch(self, runtime: str, handler: str, task_root: Path) -> Launch | None:
        """How to start a function; None where this machine cannot run the runtime."""
        if runtime in custom.IDENTIFIERS:
            return custom.launch(task_root)
        version = runtime.removeprefix("python")
        if version in self._pythons:
            return python.launch(self._pythons[version], version, handler, self._folder / runtime)
        major = runtime.removeprefix("nodejs").removesuffix(".x")
        if runtime.startswith("nodejs") and major in self._nodes:
            return node.launch(self._nodes[major], handler)
        return None
