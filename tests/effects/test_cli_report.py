"""``tuner report`` and ``tuner compare`` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tuner import codec
from tuner.cli.app import app
from tuner.errors import UsageError
from tuner.inputs.power_tuning import BASE_URL, parse_power_tuning, power_tuning_url, single_precision
from tuner.model import Report
from tuner.render.redact import Private

GOLDEN = Path(__file__).parents[1] / "golden" / "report.json"
LINK = f"{BASE_URL}#gAAAAQACAAQABsAL;ZmYgQt7dfUEiIiJBZmYOQQAAGEEAACBB;+uW4M5dPkDNwbcYzilkiNJ5KhzQQeQQ1"


def tuner(*arguments: str | Path, stdin: bytes | None = None) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_report_is_printed_as_text_where_nothing_else_was_asked_for() -> None:
    assert "Set 1024 MB (now 256 MB)" in tuner("report", GOLDEN)


def test_a_report_comes_from_standard_input_too() -> None:
    assert tuner("report", "-", stdin=GOLDEN.read_bytes()) == tuner("report", GOLDEN)


def test_every_format_is_written_at_once_and_nothing_is_printed_then(tmp_path: Path) -> None:
    files = [tmp_path / "deep" / name for name in ("r.html", "r.md", "r.json")]
    outs = [word for path in files for word in ("-o", path)]
    assert tuner("report", GOLDEN, *outs) == ""
    assert files[0].read_text(encoding="utf-8").startswith("<!doctype html>")
    assert files[1].read_text(encoding="utf-8").startswith("## thumbnail")
    assert files[2].read_text(encoding="utf-8") == tuner("report", GOLDEN, "--output", "json")


def test_charts_come_as_pictures_and_specifications(tmp_path: Path) -> None:
    tuner("report", GOLDEN, "--charts", tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        f"{chart}{ending}"
        for chart in ("curve", "pareto", "distribution", "cold-starts")
        for ending in (".svg", ".png", ".vl.json")
    }
    spec = json.loads((tmp_path / "curve.vl.json").read_text(encoding="utf-8"))
    assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/")
    assert "var(--" not in (tmp_path / "curve.svg").read_text(encoding="utf-8")


def test_json_for_sharing_is_redacted_and_can_include(tmp_path: Path) -> None:
    assert json.loads(tuner("report", GOLDEN, "--output", "json"))["measurement"]["payload_sha256"] == "(left out)"
    shown = tuner("report", GOLDEN, "--output", "json", "--include", "payloads")
    assert json.loads(shown)["measurement"]["payload_sha256"].startswith("9f86")
    kept = [word for part in Private for word in ("--include", part)]
    tuner("report", GOLDEN, "-o", tmp_path / "all.json", *kept)
    assert codec.decode((tmp_path / "all.json").read_bytes(), Report) == codec.decode(GOLDEN.read_bytes(), Report)


def test_a_link_of_power_tuning_becomes_a_page_and_comes_back_unchanged(tmp_path: Path) -> None:
    page = tmp_path / "again.html"
    assert tuner("report", LINK, "-o", page, "--export", "power-tuning-url").strip() == LINK
    assert "means without spread" in page.read_text(encoding="utf-8")


def test_an_output_of_power_tuning_is_read_from_a_file(tmp_path: Path) -> None:
    output = tmp_path / "output.json"
    output.write_text(json.dumps({"power": 256, "stateMachine": {"visualization": LINK}}), encoding="utf-8")
    assert "itself proposed 256 MB" in tuner("report", output)


def test_a_report_exports_the_float32_of_its_means_without_the_request_price() -> None:
    link = tuner("report", GOLDEN, "--export", "power-tuning-url").strip()
    report = json.loads(GOLDEN.read_text(encoding="utf-8"))
    (curve,) = parse_power_tuning(link).curves
    measured = [point for point in report["curve"] if point["duration_ms"]]
    assert curve.memory_mb == tuple(point["memory_mb"] for point in measured)
    assert curve.duration_ms == tuple(single_precision(point["duration_ms"]["mean"]["point"]) for point in measured)
    assert curve.cost == tuple(
        single_precision(point["cost_usd_per_million"]["point"] / 1e6 - 0.2e-6) for point in measured
    )
    assert power_tuning_url(parse_power_tuning(link)) == link


def test_reports_are_compared_under_the_names_of_their_files(tmp_path: Path) -> None:
    for name in ("before.json", "after.json"):
        (tmp_path / name).write_bytes(GOLDEN.read_bytes())
    shown = tuner("compare", tmp_path / "before.json", tmp_path / "after.json")
    assert "after against before: no difference shown at 4 of 4 shared sizes" in shown
    same = tuner("compare", GOLDEN, GOLDEN)
    assert "report (2) against report (1)" in same
    page = tmp_path / "c.html"
    assert tuner("compare", GOLDEN, tmp_path / "after.json", "-o", page) == ""
    assert page.read_text(encoding="utf-8").count("<figure") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("report", "no-such-file.json"), "cannot be read"),
        (("report", str(GOLDEN), "-o", "report.pdf"), "neither .json nor .html nor .md"),
        (("report", LINK, "-o", "x.json"), "only a run of tuner has a report.json"),
        (("report", LINK, "--output", "json"), "no report.json"),
        (("report", "https://example.com/"), "no result of AWS Lambda Power Tuning"),
        (("compare", str(GOLDEN)), "nothing to be compared with"),
        (("compare", str(GOLDEN), str(Path(__file__))), "not a report.json"),
        (("report", str(GOLDEN), "--publish", "reports"), "no place in S3"),
        (("report", str(GOLDEN), "--publish", "s3://reports", "--expires", "8d"), "no time that a link can live"),
    ],
)
def test_what_cannot_be_done_is_said_with_a_next_step(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=says) as refused:
        tuner(*arguments)
    assert refused.value.hint
    assert list(tmp_path.iterdir()) == []
