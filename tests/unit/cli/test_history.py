"""`tuner history`: series under equal conditions, changes with their dates, older reports put in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.gates import gate_report, gated
from tuner import codec
from tuner.cli.history import HistoryOptions, history_command, series_of
from tuner.engine.history import History
from tuner.engine.history_entries import entries_of
from tuner.errors import UsageError
from tuner.model import GateReport
from tuner.render.history import history_document
from tuner.render.markdown import render_document_markdown


def measured(day: int, *, factor: float = 1.0) -> GateReport:
    report = gate_report(gated(calls=100, seed=day, ratio=factor))
    return replace(report, run_id=f"run-{day:02d}", created_at=f"2026-11-{day:02d}T10:00:00+00:00")


def asked(project: Path, *, add: tuple[Path, ...] = (), function: str | None = None, output: str = "json") -> int:
    return history_command(HistoryOptions(function=function, add=add, project=project, output=output))


def test_a_change_is_shown_with_the_date_of_the_first_run_at_the_new_level() -> None:
    entries = [entry for day in range(1, 25) for entry in entries_of(measured(day, factor=1.0 if day < 13 else 1.3))]
    found = series_of(entries)
    duration = next(series for series in found if series.metric == "duration")
    (change,) = duration.trend.changes
    assert duration.dates[change.index].startswith("2026-11-13")
    text = render_document_markdown(history_document(found))
    assert "2026-11-13" in text
    assert "nothing here fails a build" in text


def test_runs_under_other_conditions_are_another_series() -> None:
    entries = entries_of(measured(1))
    others = [replace(entry, run_id="other", payload_sha256="another") for entry in entries]
    assert len(series_of([*entries, *others])) == 2 * len(series_of(entries))


def test_an_older_report_is_put_in_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gate.json"
    path.write_bytes(codec.encode_pretty(measured(3)))
    assert asked(tmp_path, add=(path,)) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {series["metric"] for series in shown["series"]} >= {"duration", "cost"}
    assert all(series["dates"] == ["2026-11-03T10:00:00+00:00"] for series in shown["series"])


def test_where_there_is_no_history_it_is_said_how_to_begin_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        asked(tmp_path, function="orders")
    assert "tuner gate" in caught.value.hint
    assert not (tmp_path / ".tuner").exists()


@pytest.mark.parametrize("content", [b"{}", b"no json", b'{"kind": "cold-start"}'])
def test_what_is_no_report_of_a_gate_or_a_run_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        asked(tmp_path, add=(path,))
    assert History.of(tmp_path).read() == ()
