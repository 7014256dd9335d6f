"""Draw the plots of docs/search.md from the JSON of the benchmark: ``python -m benchmarks.search_plot FILE``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import vl_convert

DOCS = Path(__file__).resolve().parents[1] / "docs"
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
WHEN = {"end": "last statement of a run", "all": "after every block"}


def regret(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Regret against dollars, both relative to the grid with n = 10, a panel for each kind of world."""
    kinds = [row for row in rows if row["world"].startswith("all ")]
    base = {row["world"]: row["usd"] for row in kinds if row["policy"] == "power-tuning n=10"}
    values = [
        {
            "world": row["world"].removeprefix("all "),
            "policy": row["policy"],
            "spend": row["usd"] / base[row["world"]],
            "regret": max(row["mean_regret"] * 100, 0.01),
        }
        for row in kinds
        if row["world"] in base
    ]
    return {
        "$schema": SCHEMA,
        "data": {"values": values},
        "facet": {"column": {"field": "world", "title": None}},
        "spec": {
            "width": 170,
            "height": 190,
            "mark": {"type": "point", "filled": True, "size": 90},
            "encoding": {
                "x": {"field": "spend", "type": "quantitative", "scale": {"type": "log"},
                      "title": "dollars, grid n=10 is 1"},
                "y": {"field": "regret", "type": "quantitative", "scale": {"type": "log"},
                      "title": "mean regret in per cent"},
                "color": {"field": "policy", "type": "nominal", "title": "policy"},
                "shape": {"field": "policy", "type": "nominal"},
            },
        },
    }  # fmt: skip


def calibration(bins: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Share of right statements against the probability stated, with the interval of the share."""
    values = [
        {**{name: found[name] for name in ("stated", "right", "low", "high")}, "when": WHEN[found["when"]]}
        for found in bins
        if found["policy"] == "tuner"
    ]
    axis = {"type": "quantitative", "scale": {"domain": [0, 1]}}
    x = {"field": "stated", **axis, "title": "probability stated"}
    return {
        "$schema": SCHEMA,
        "data": {"values": values},
        "facet": {"column": {"field": "when", "title": None}},
        "spec": {
            "width": 220,
            "height": 220,
            "layer": [
                {"data": {"values": [{"stated": 0, "right": 0}, {"stated": 1, "right": 1}]},
                 "mark": {"type": "line", "strokeDash": [4, 4], "color": "grey"},
                 "encoding": {"x": x, "y": {"field": "right", **axis}}},
                {"mark": "rule", "encoding": {"x": x, "y": {"field": "low", **axis}, "y2": {"field": "high"}}},
                {"mark": {"type": "point", "filled": True, "size": 70},
                 "encoding": {"x": x, "y": {"field": "right", **axis, "title": "share that was right"}}},
            ],
        },
    }  # fmt: skip


def main() -> int:
    content = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for name, plot in (("regret", regret(content["rows"])), ("calibration", calibration(content["reliability"]))):
        (DOCS / f"search-{name}.svg").write_text(vl_convert.vegalite_to_svg(plot), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
