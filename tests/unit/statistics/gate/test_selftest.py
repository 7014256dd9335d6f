"""The gate on resampled environments of a measurement."""

from __future__ import annotations

from tests.unit.statistics.gate.measured import NOISY, PAIR, gate
from tuner.statistics.gate.selftest import pooled_profiles, self_test


def test_it_says_how_often_this_function_would_be_judged_rightly() -> None:
    measured = gate(1.03, world=NOISY, seed=3)
    same, boundary, slower = self_test(measured.samples, PAIR, measured.terms, seed=1, trials=40)
    assert (same.red, boundary.ratio, slower.ratio) == (0, 1.05, 1.1)
    assert same.green >= 34
    assert boundary.green + boundary.red <= 8
    assert slower.red >= 30
    assert all(row.red + row.green + row.inconclusive == row.trials == 40 for row in (same, boundary, slower))


def test_what_differed_between_the_sides_is_not_in_the_pool() -> None:
    measured = gate(1.3, world=NOISY, seed=3)
    levels = [float(profile.mean()) for profile in pooled_profiles(measured.samples, PAIR)]
    assert len(levels) == len({s.environment for s in measured.samples})
    assert max(levels) - min(levels) < 0.26


def test_without_labels_the_pool_is_made_from_the_components() -> None:
    measured = gate(1.0, world=NOISY, labels=False)
    (same,) = self_test(measured.samples, PAIR, measured.terms, seed=1, trials=20, ratios=(1.0,))
    assert same.red == 0
    assert same.green >= 15


def test_the_same_seed_gives_the_same_trials() -> None:
    measured = gate(1.0, world=NOISY)
    one, other = (
        self_test(measured.samples, PAIR, measured.terms, seed=7, trials=5, ratios=(1.05,)) for _ in range(2)
    )
    assert one == other


def test_too_few_environments_are_no_pool() -> None:
    measured = gate(1.0)
    few = [
        sample for sample in measured.samples if sample.block == 1 and sample.environment in {"base-1/0", "head-1/0"}
    ]
    assert self_test(few, PAIR, measured.terms, seed=1) == ()
