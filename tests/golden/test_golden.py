"""Every renderer still writes what the gold files hold. How to renew them: README.md beside this file."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Mapping
from pathlib import Path

import jsonschema
import pytest

from tuner import codec
from tuner.model import ColdStartReport, GateReport, Report

FOLDER = Path(__file__).parent
NAMES = [
    "report.json", "report.html", "report.md", "figures.json",
    "comparison.html", "comparison.md", "power-tuning.html", "power-tuning.md",
    "terminal-80.txt", "terminal-60.txt", "plan-80.txt", "plan-60.txt",
    "cold-start.json", "cold-start.html", "cold-start.md", "cold-start-figures.json",
    "cold-start-80.txt", "cold-start-60.txt",
    "gate.json", "gate.html", "gate.md", "gate-figures.json", "gate-80.txt", "gate-60.txt",
    "gate-comment.md", "gate-junit.xml",
]  # fmt: skip


@pytest.fixture(scope="module")
def renderings() -> Mapping[str, Callable[[], str]]:
    make: Callable[[], Mapping[str, Callable[[], str]]] = runpy.run_path(str(FOLDER / "renew.py"))["renderings"]
    return make()


def test_every_rendering_has_a_gold_file(renderings: Mapping[str, Callable[[], str]]) -> None:
    assert sorted(renderings) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_rendering_equals_its_gold_file(name: str, renderings: Mapping[str, Callable[[], str]]) -> None:
    assert renderings[name]() == (FOLDER / name).read_bytes().decode("utf-8"), "renew with tests/golden/renew.py"


def test_the_committed_report_can_be_read_and_fits_the_schema() -> None:
    data = (FOLDER / "report.json").read_bytes()
    assert codec.decode(data, Report).target.function == "thumbnail"
    jsonschema.Draft202012Validator(codec.report_schema()).validate(json.loads(data))


def test_the_committed_study_can_be_read_and_fits_its_schema() -> None:
    data = (FOLDER / "cold-start.json").read_bytes()
    assert codec.decode(data, ColdStartReport).target.function == "thumbnail"
    jsonschema.Draft202012Validator(codec.cold_start_schema()).validate(json.loads(data))


def test_the_committed_gates_can_be_read_and_fit_their_schema() -> None:
    data = (FOLDER / "gate.json").read_bytes()
    found = codec.decode(data, GateReport)
    assert [gate.verdict.status for gate in found.comparisons] == ["regression", "pass", "inconclusive"]
    jsonschema.Draft202012Validator(codec.gate_schema()).validate(json.loads(data))


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".txt")])
def test_no_gold_line_is_wider_than_its_name_says(name: str) -> None:
    width = int(name.removesuffix(".txt").rpartition("-")[2])
    assert max(map(len, (FOLDER / name).read_text(encoding="utf-8").splitlines())) <= width
