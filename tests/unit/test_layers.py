"""Imports run one way: values < pure stages < engine < aws and local < the command line."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tuner"

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"model", "errors", "units", "limits", "codec"}),
    frozenset({"telemetry", "pricing", "inputs", "planning", "statistics", "render", "reporting"}),
    frozenset({"engine"}),
    frozenset({"aws", "local"}),
    frozenset({"cli", "__main__"}),
)
STRANGERS = frozenset({"aws", "local"})
"""Siblings that do not know each other."""

PURE_FORBIDS = frozenset(
    {"boto3", "botocore", "asyncio", "time", "socket", "subprocess", "http", "urllib", "threading"}
)
ONLY_IN: dict[str, tuple[str, ...]] = {
    "boto3": ("aws",),
    "botocore": ("aws",),
    "numpy": ("statistics",),
    "scipy": ("statistics",),
    "rich": ("render/terminal.py", "cli"),
    "typer": ("cli",),
}
START_UP_FORBIDS = ("boto3", "botocore", "numpy", "scipy", "asyncio", "jinja2")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The first name below ``tuner``: a module or a sub-package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def layer_of(part: str) -> int:
    return next(number for number, parts in enumerate(LAYERS) if part in parts)


def imported(path: Path) -> Iterator[str]:
    """Every dotted name a module imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_lies_below_it(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        return
    for name in imported(path):
        if name.startswith("tuner."):
            other = name.split(".")[1]
            if other == "__version__":
                continue
            assert layer_of(other) <= layer_of(part), f"{part} imports {name}"
            assert not ({part, other} <= STRANGERS and part != other), f"{part} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_library_is_imported_only_where_it_belongs(path: Path) -> None:
    place = str(path.relative_to(PACKAGE))
    pure = part_of(path) != "__init__" and layer_of(part_of(path)) <= 1
    for name in imported(path):
        top = name.split(".")[0]
        if top in ONLY_IN:
            assert place.startswith(ONLY_IN[top]), f"{place} imports {name}"
        if pure:
            assert top not in PURE_FORBIDS, f"{place} imports {name}"


def test_only_the_command_line_prints_and_ends_the_process() -> None:
    for path in modules():
        if part_of(path) == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"print", "sys.exit", "exit"}, f"{path.relative_to(PACKAGE)} calls {called}"


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "before = set(sys.modules)\n"
        "from tuner.cli.app import app\n"
        "result = CliRunner().invoke(app, ['--help'])\n"
        "assert result.exit_code == 0, result.output\n"
        f"heavy = [name for name in {START_UP_FORBIDS!r} if name in set(sys.modules) - before]\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
