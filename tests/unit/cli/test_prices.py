"""`tuner prices`: what is shown, what an update keeps, and that runs count with it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.inputs.test_price_list import price_list
from tuner.aws.price_list import fetch
from tuner.cli.app import app
from tuner.cli.prices_file import prices_file, updated_prices
from tuner.errors import TargetError, TunerError
from tuner.model import Architecture
from tuner.pricing import price_for

GOLDEN = Path(__file__).parents[2] / "golden" / "report.json"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "state"


def prices(*words: str) -> str:
    result = CliRunner().invoke(app, ["prices", *words])
    if isinstance(result.exception, TunerError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_show_says_the_source_and_date_of_each_row() -> None:
    output = " ".join(prices("show", "--region", "us-east-1").split())
    assert "$0.0000166667 $0.0000133334 $0.0000002 2026-09-19" in output
    rows = json.loads(prices("show", "--output", "json"))["regions"]
    assert len(rows) > 30
    assert all(row["source"] and row["as_of"] for row in rows.values())


def test_an_unknown_region_is_refused() -> None:
    with pytest.raises(TunerError, match="us-esat-1"):
        prices("show", "--region", "us-esat-1")


def test_an_update_is_kept_said_and_counted_with(tmp_path: Path) -> None:
    file = tmp_path / "index.json"
    file.write_text(json.dumps(price_list(AWS_Lambda_Duration="0.0000200000")))
    output = prices("update", "--region", "us-east-1", "--from", str(file))
    assert "duration_x86 $0.0000166667 -> $0.00002" in output
    price = price_for("us-east-1", Architecture.X86_64, updated=updated_prices())
    assert price.usd_per_gb_s == Decimal("0.00002")
    assert price.source == "AWS price list of us-east-1, 2026-09-19"
    assert "as before" in prices("update", "--region", "us-east-1", "--from", str(file))
    assert price_for("eu-central-1", Architecture.X86_64, updated=updated_prices()).usd_per_gb_s < Decimal("0.00002")


def test_a_list_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "index.json"
    file.write_text("{}")
    with pytest.raises(TunerError, match="cannot be used"):
        prices("update", "--region", "us-east-1", "--from", str(file))
    assert updated_prices() == {}


def test_a_broken_file_of_updates_is_named(state: Path) -> None:
    state.mkdir()
    prices_file().write_text("{")
    with pytest.raises(TargetError, match=r"prices\.json"):
        updated_prices()


def test_a_projection_shows_the_months_and_its_assumptions() -> None:
    output = " ".join(prices("project", str(GOLDEN), "--calls-per-month", "10M", "--cold-fraction", "1%").split())
    assert "10,000,000 calls a month, 1.0% of them cold" in output
    assert "now" in output
    assert "free tier" in output
    assert "Savings Plan" in output
    months = json.loads(prices("project", str(GOLDEN), "--output", "json"))["months"]
    assert {month["memory_mb"] for month in months} >= {256, 512, 1024}


@pytest.mark.parametrize("text", ["many", "-5", "inf", ""])
def test_a_volume_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(TunerError, match="no number of calls"):
        prices("project", str(GOLDEN), f"--calls-per-month={text}")


@pytest.fixture
def site() -> Iterator[str]:
    """A server of price lists on this machine: /ok is one, everything else is not there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(price_list()).encode()
            self.send_response(200 if self.path == "/ok" else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_list_is_read_over_http_and_a_refusal_is_said(site: str) -> None:
    assert json.loads(fetch(f"{site}/ok"))["offerCode"] == "AWSLambda"
    with pytest.raises(TargetError, match="HTTP 404"):
        fetch(f"{site}/gone")
    with pytest.raises(TargetError, match="could not be read"):
        fetch("http://127.0.0.1:9/none")
