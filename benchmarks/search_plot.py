"""Draw the plot of docs/search.md from the JSON of the benchmark: ``python -m benchmarks.search_plot FILE``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import vl_convert

DOCS = Path(__file__).resolve().parents[1] / "docs"


def specification(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
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
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
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


def main() -> int:
    rows = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    svg = vl_convert.vegalite_to_svg(specification(rows))
    (DOCS / "search-regret.svg").write_text(svg, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
