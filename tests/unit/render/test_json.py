"""report.json is the source of every other output."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from tuner import codec
from tuner.errors import UsageError
from tuner.model import Report, Spend
from tuner.render.json import render_json


def test_what_is_written_reads_back_as_the_same_report(report: Report) -> None:
    assert codec.decode(render_json(report), Report) == report


def test_an_independent_judge_accepts_it_under_the_published_schema(report: Report) -> None:
    jsonschema.Draft202012Validator(codec.report_schema()).validate(json.loads(render_json(report)))


def test_an_independent_judge_rejects_it_once_a_required_field_is_missing(report: Report) -> None:
    document = json.loads(render_json(report))
    del document["spend"]["usd"]
    assert not jsonschema.Draft202012Validator(codec.report_schema()).is_valid(document)


def test_a_report_that_could_not_be_read_back_is_not_written(report: Report) -> None:
    spend: Spend = replace(report.spend, seconds=float("nan"))
    with pytest.raises(UsageError, match="seconds"):
        render_json(replace(report, spend=spend))


def test_the_same_report_gives_the_same_text(report: Report) -> None:
    assert render_json(report) == render_json(codec.decode(render_json(report), Report))
