"""Make ``gate.json``, the report of the gates whose renderings are gold files: ``python tests/golden/gate.py``.

Three functions from seeded samples, judged by the statistics themselves: one regression, one pass, one that cannot be
told after few calls.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":  # run as a script, from the root of the repository
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.gates import gate_plan, gate_report, gated
from tuner import codec
from tuner.model import GateReport

FILE = Path(__file__).with_name("gate.json")


def report() -> GateReport:
    return gate_report(
        gated(ratio=1.12, plan=gate_plan(name="checkout"), seed=1),
        gated(ratio=1.0, plan=gate_plan(name="thumbnail"), seed=2),
        gated(ratio=1.05, plan=gate_plan(name="search-index"), seed=3, calls=140),
    )


if __name__ == "__main__":
    FILE.write_bytes(codec.encode_pretty(report()))
