"""The action and the recipes of docs/ci as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "docs" / "ci"


def yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


def action() -> Any:
    return yaml(ROOT / "action.yml")


def step(name: str) -> Any:
    """The step of the action with that id."""
    return next(one for one in action()["runs"]["steps"] if one["id"] == name)
