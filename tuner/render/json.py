"""``report.json``: the report itself, for scripts and for every other renderer to start from again."""

from __future__ import annotations

from tuner import codec
from tuner.model import ColdStartReport, GateReport, Report


def render_json(report: Report | ColdStartReport | GateReport) -> str:
    """The report as indented JSON. UsageError if what would be written could not be read back."""
    data = codec.encode_pretty(report)
    codec.decode(data, type(report))
    return data.decode("utf-8")
