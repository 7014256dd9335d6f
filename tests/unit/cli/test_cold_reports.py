"""What the commands that read reports do with a study of cold starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tuner.cli.app import app
from tuner.errors import UsageError

STUDY = Path(__file__).parents[2] / "golden" / "cold-start.json"
RUN = STUDY.with_name("report.json")


def tuner(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_it_is_printed_as_text_where_nothing_else_was_asked_for() -> None:
    assert "A cold start takes 416 ms at 512 MB x86_64" in tuner("report", STUDY)


def test_every_format_is_written_at_once(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("r.html", "r.md", "r.json")]
    outs = [word for path in files for word in ("-o", path)]
    assert tuner("report", STUDY, *outs) == ""
    assert files[0].read_text(encoding="utf-8").startswith("<!doctype html>")
    assert files[1].read_text(encoding="utf-8").startswith("## thumbnail")
    assert files[2].read_text(encoding="utf-8") == tuner("report", STUDY, "--output", "json")


def test_its_charts_come_as_pictures_and_specifications(tmp_path: Path) -> None:
    tuner("report", STUDY, "--charts", tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    endings = (".svg", ".png", ".vl.json")
    assert names == {f"{chart}{ending}" for chart in ("cold-quantiles", "cold-shape") for ending in endings}


def test_shared_json_is_redacted_and_can_include() -> None:
    assert '"payload_sha256": "(left out)"' in tuner("report", STUDY, "--output", "json")
    assert '"payload_sha256": "9f86' in tuner("report", STUDY, "--output", "json", "--include", "payloads")


def test_markdown_is_printed_on_demand() -> None:
    assert tuner("report", STUDY, "--output", "markdown").startswith("## thumbnail")


def test_it_is_not_compared_with_a_run_and_the_way_out_is_named() -> None:
    with pytest.raises(UsageError, match="no curve to be put beside another") as refused:
        tuner("compare", STUDY, RUN)
    assert "tuner cold-start" in refused.value.hint


def test_it_has_no_curve_to_export() -> None:
    with pytest.raises(UsageError, match="no curve to export"):
        tuner("report", STUDY, "--export", "power-tuning-url")
