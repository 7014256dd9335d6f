"""Reports of unknown authors: refused with what is wrong, and never more than a report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuner.cli.history import read_entries
from tuner.cli.report import page_name
from tuner.cli.report_file import read_gate_or_run, read_report, read_source
from tuner.cli.state import new_run_id
from tuner.engine.history import History
from tuner.engine.history_entries import entries_of
from tuner.errors import TargetError, UsageError

GOLDEN = Path(__file__).parents[2] / "golden" / "report.json"


def report_with(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    content = json.loads(GOLDEN.read_text())
    change(content)
    path = folder / "report.json"
    path.write_text(json.dumps(content))
    return path


def set_point(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["curve"][1]["duration_ms"]["mean"].update(values)


ABSURD: dict[str, Callable[[dict[str, Any]], None]] = {
    "infinity": set_point(point=float("inf")),
    "nan": set_point(point=float("nan")),
    "beyond floats": set_point(point=10**400),
    "huge": set_point(point=1e300),
    "huge count": set_point(n=10**40),
    "interval upside down": set_point(low=5.0, high=-3.0),
    "negative memory": lambda content: content["curve"][0].update(memory_mb=-5),
    "huge memory": lambda content: content["curve"][0].update(memory_mb=10**9),
    "wrong kind": lambda content: content["curve"][0].update(memory_mb="512"),
    "endless text": lambda content: content["target"].update(function="x" * 200_000),
}


@pytest.mark.parametrize("change", ABSURD.values(), ids=ABSURD)
def test_a_report_with_an_absurd_value_is_refused(change: Callable[[dict[str, Any]], None], tmp_path: Path) -> None:
    path = report_with(tmp_path, change)
    for read in (read_source, read_report):
        with pytest.raises(UsageError):
            read(str(path))


@pytest.mark.parametrize(
    "text",
    ['{"kind": "run", "schema_version": ' + "[" * 100_000, '{"schema_version": 1e999999}', '"schema_version" \udc80'],
)
def test_a_report_that_is_no_document_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError):
        read_source(str(path))
    with pytest.raises(UsageError):
        read_gate_or_run(path, refused="is refused", hint="Give another.")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("source", ["/dev/zero", "/dev"])
def test_a_report_without_an_end_is_not_read(source: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_source(source)


@pytest.mark.parametrize("run_id", ["index", "../index", "a/b", "", "20261129T120000-ab12cd/../x", "x" * 3000])
def test_only_the_id_of_a_run_becomes_a_key_in_a_bucket(run_id: str) -> None:
    with pytest.raises(UsageError, match="cannot name a page"):
        page_name(run_id)


def test_the_ids_that_runs_get_name_their_pages() -> None:
    run_id = new_run_id()
    assert page_name(run_id, "compare-") == f"compare-{run_id}.html"


def test_a_history_with_rows_of_another_kind_is_damaged_and_no_traceback(tmp_path: Path) -> None:
    history = History.of(tmp_path)
    history.add(entries_of(read_report(str(GOLDEN))))
    data = history.path.read_bytes()
    history.path.write_bytes(data.replace(b"thumbnail", b"thumb\xff\xff\xff\xff"))
    with pytest.raises(TargetError, match=r"damaged|cannot be used"):
        read_entries(history)
