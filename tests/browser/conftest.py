"""Pages of every kind, opened from disk in a Chromium that is kept from the network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuner import codec
from tuner.inputs.power_tuning import BASE_URL, parse_power_tuning
from tuner.model import ColdStartReport, GateReport, Report
from tuner.render.cold_start import cold_start_document
from tuner.render.comparison import comparison_document
from tuner.render.document import render_document_html
from tuner.render.gate_document import gate_document
from tuner.render.html import render_html
from tuner.render.imported import imported_document

GOLDEN = Path(__file__).parents[1] / "golden" / "report.json"
COLD_START = GOLDEN.with_name("cold-start.json")
GATE = GOLDEN.with_name("gate.json")
LINK = f"{BASE_URL}#gAAAAQACAAQABsAL;ZmYgQt7dfUEiIiJBZmYOQQAAGEEAACBB;+uW4M5dPkDNwbcYzilkiNJ5KhzQQeQQ1"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

Opener = Callable[..., Any]


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = chromium()
    if path is None:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as engine:
        running = engine.chromium.launch(executable_path=path, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture(scope="session")
def report() -> Report:
    return codec.decode(GOLDEN.read_bytes(), Report)


@pytest.fixture(scope="session")
def pages(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """One page of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    after = replace(report, created_at="2026-11-22T09:30:00Z")
    texts = {
        "report": render_html(report),
        "compare": render_document_html(comparison_document([("before", report), ("after", after)])),
        "imported": render_document_html(imported_document(parse_power_tuning(LINK))),
        "cold-start": render_document_html(
            cold_start_document(codec.decode(COLD_START.read_bytes(), ColdStartReport))
        ),
        "gate": render_document_html(gate_document(codec.decode(GATE.read_bytes(), GateReport))),
    }
    paths = {name: folder / f"{name}.html" for name in texts}
    for name, path in paths.items():
        path.write_text(texts[name], encoding="utf-8")
    return paths


class Visit:
    """A page in a context of its own, with everything that it said and asked for."""

    def __init__(self, context: Any, path: Path) -> None:
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.page = context.new_page()
        self.page.on("console", lambda message: self.messages.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.messages.append(f"error: {error}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def drawn(self) -> Visit:
        self.page.wait_for_selector("html[data-figures=drawn]", timeout=30_000)
        return self

    def count(self, selector: str) -> int:
        return int(self.page.locator(selector).count())


@pytest.fixture
def visit(browser: Any) -> Iterator[Opener]:
    contexts = []

    def open_page(path: Path, *, width: int = 1280, **options: Any) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        return Visit(context, path)

    yield open_page
    for context in contexts:
        context.close()
