"""Damaged files of every kind that is read: each ends in a value or in a TunerError, in time, within its folder.

`python -m benchmarks.fuzz` plays many more.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fuzz import fuzz
from benchmarks.readers import READERS

MUTATIONS = {"report": 25, "report-compared": 60, "report-history": 60}
"""A report is rendered as well, which takes longer than to read it."""


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused_and_never_a_traceback(name: str) -> None:
    outcome = fuzz(READERS[name], mutations=MUTATIONS.get(name, 120), seed=20261129)
    assert not outcome.failures, outcome.failures[0]


@pytest.mark.parametrize("name", READERS)
def test_what_the_mutations_start_from_is_read(name: str, tmp_path: Path) -> None:
    for number, original in enumerate(READERS[name].originals()):
        folder = tmp_path / str(number)
        folder.mkdir()
        READERS[name].read(original, folder)
