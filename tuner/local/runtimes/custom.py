"""``provided.*``: the package brings its own runtime, an executable ``bootstrap`` that speaks the Runtime API."""

from __future__ import annotations

from pathlib import Path

from tuner.local.runtimes.launch import Launch

IDENTIFIERS = ("provided.al2", "provided.al2023")
BOOTSTRAP = "bootstrap"


def launch(task_root: Path) -> Launch:
    return Launch(command=(str(task_root / BOOTSTRAP),))
