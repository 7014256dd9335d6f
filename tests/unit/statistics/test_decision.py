import numpy as np

from tuner.statistics.decision import SURE, decide, pareto, pick, within
from tuner.statistics.observations import FloatArray


def row(*values: float) -> FloatArray:
    return np.array(values)


def around(points: FloatArray, spread: float, seed: int = 1) -> FloatArray:
    draws: FloatArray = points * np.exp(np.random.default_rng(seed).normal(0, spread, (4000, points.size)))
    return draws


def test_the_fastest_within_the_tolerance_of_the_least_cost_wins() -> None:
    cost, duration = row(1.00, 1.04, 1.20), row(300.0, 200.0, 100.0)
    assert pick(cost, duration, 0.05) == 1


def test_a_tolerance_of_zero_is_the_strict_minimum() -> None:
    assert pick(row(1.001, 1.0), row(10.0, 99.0), 0.0) == 1


def test_equal_seconds_go_to_the_better_objective() -> None:
    assert pick(row(1.03, 1.0), row(100.0, 100.0), 0.05) == 1


def test_each_draw_is_decided_by_itself() -> None:
    cost = np.array([[1.0, 1.5], [1.5, 1.0]])
    assert pick(cost, cost, 0.05).tolist() == [0, 1]
    assert within(cost, 0.05).tolist() == [[True, False], [False, True]]


def test_a_clear_winner_is_sure_and_has_no_ties() -> None:
    points = row(1.0, 2.0, 3.0), row(10.0, 10.0, 10.0)
    decision = decide(points, (around(points[0], 0.01), around(points[1], 0.01)), 0.05)
    assert decision.winner == 0
    assert decision.sure
    assert decision.tied == ()


def test_equals_that_differ_by_less_than_the_noise_are_undecided_and_tied() -> None:
    points = row(1.0, 1.01), row(10.0, 20.0)
    decision = decide(points, (around(points[0], 0.2), around(points[1], 0.2, seed=2)), 0.0)
    assert not decision.sure
    assert decision.tied == (1 - decision.winner,)


def test_a_size_that_only_happens_to_lie_inside_the_tolerance_does_not_win() -> None:
    points = row(1.00, 1.04), row(200.0, 100.0)
    decision = decide(points, (around(points[0], 0.03), around(points[1], 0.001)), 0.05)
    assert decision.winner == 0
    assert decision.confidence >= SURE
    assert decision.tied == (1,)


def test_the_pareto_set_drops_what_is_beaten_in_both() -> None:
    assert pareto(row(1.0, 2.0, 3.0), row(30.0, 10.0, 20.0)) == (0, 1)


def test_exact_equals_are_both_on_the_pareto_front() -> None:
    assert pareto(row(1.0, 1.0), row(5.0, 5.0)) == (0, 1)
