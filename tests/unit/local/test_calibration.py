"""When the CPU limit of this machine may be believed."""

from __future__ import annotations

import pytest

from tuner.local.throttle.calibration import MOST_ERROR_PERCENT, Calibration, SizeError


@pytest.mark.parametrize(
    ("errors", "trustworthy"),
    [
        ({128: 1.0, 512: -MOST_ERROR_PERCENT}, True),
        ({128: 1.0, 512: MOST_ERROR_PERCENT + 0.1}, False),
        ({512: 1.0}, False),
        ({}, False),
    ],
    ids=["both near", "one far", "one was never held back", "nothing measured"],
)
def test_every_size_must_have_been_held_back_by_about_the_right_share(
    errors: dict[int, float], trustworthy: bool
) -> None:
    sizes = tuple(SizeError(memory_mb, percent) for memory_mb, percent in errors.items())
    assert Calibration(sizes).trustworthy is trustworthy
