import numpy as np
import pytest

from tuner.statistics.components import Components, NotEstimable, variance_components
from tuner.statistics.observations import FloatArray, Observations


def observed(
    values: FloatArray,
    waves: list[int],
    *,
    environments: int | None,
    labels: list[int] | None = None,
    versions: list[int] | None = None,
    overlapping: bool = True,
) -> Observations:
    return Observations(
        values=values,
        waves=np.array(waves),
        versions=np.array(versions or [0] * len(waves)),
        labels=None if labels is None else np.array(labels),
        environments=environments,
        overlapping=overlapping,
    )


def estimated(observations: Observations) -> Components:
    components = variance_components(observations)
    assert isinstance(components, Components)
    return components


def simulated(rng: np.random.Generator, k: int, waves: int, environments: int) -> tuple[FloatArray, list[int]]:
    """Variance 4 between environments, 1 within; each wave reaches k of them."""
    hosts = rng.normal(0, 2, environments)
    served = np.concatenate([rng.permutation(environments)[:k] for _ in range(waves)])
    return 100 + hosts[served] + rng.normal(0, 1, k * waves), served.tolist()


@pytest.mark.parametrize(("k", "environments"), [(4, 4), (4, 8), (10, 10)])
def test_waves_alone_recover_both_components_on_average(k: int, environments: int) -> None:
    rng = np.random.default_rng(7)
    waves = np.repeat(np.arange(6), k).tolist()
    found = [
        estimated(observed(simulated(rng, k, 6, environments)[0], waves, environments=environments))
        for _ in range(600)
    ]
    # Estimates are cut to 0..total, which leaves a bias where waves reach only half of the environments.
    assert np.mean([c.between for c in found]) == pytest.approx(4, rel=0.2)
    assert np.mean([c.between + c.within for c in found if c.between is not None and c.within is not None]) == (
        pytest.approx(5, rel=0.05)
    )


def test_waves_and_labels_agree_on_the_error_of_the_mean() -> None:
    rng = np.random.default_rng(8)
    waves = np.repeat(np.arange(8), 6).tolist()
    pairs = []
    for _ in range(300):
        values, served = simulated(rng, 6, 8, 6)
        by_waves = estimated(observed(values, waves, environments=6))
        by_labels = estimated(observed(values, waves, environments=6, labels=served))
        pairs.append((by_waves.mean_variance, by_labels.mean_variance))
    means = np.mean(pairs, axis=0)
    assert means[0] == pytest.approx(means[1], rel=0.05)
    assert means[1] == pytest.approx(4 / 6 + 1 / 48, rel=0.1)


def test_identical_values_have_no_variance_and_no_design_effect() -> None:
    components = estimated(observed(np.full(12, 7.0), [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3], environments=3))
    assert components.mean_variance == 0
    assert components.design_effect == 1


def test_a_drift_between_waves_widens_the_error_instead_of_vanishing() -> None:
    values = np.array([100.0, 100.0, 100.0, 110.0, 110.0, 110.0, 120.0, 120.0, 120.0])
    components = estimated(observed(values, [0, 0, 0, 1, 1, 1, 2, 2, 2], environments=3))
    assert components.between == 0
    assert components.mean_variance > values.var(ddof=1) / values.size


def test_a_single_wave_counts_each_environment_as_one_value() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    components = estimated(observed(values, [0, 0, 0, 0], environments=4))
    assert components.between is None
    assert components.mean_variance == pytest.approx(values.var(ddof=1) / 4)


def test_calls_that_may_not_overlap_are_charged_the_worst_case() -> None:
    rng = np.random.default_rng(2)
    values, waves = rng.normal(100, 1, 20), np.repeat(np.arange(5), 4).tolist()
    trusted = estimated(observed(values, waves, environments=4))
    doubted = estimated(observed(values, waves, environments=4, overlapping=False))
    assert doubted.between is None
    assert doubted.mean_variance > 2 * trusted.mean_variance


def test_ragged_waves_are_usable() -> None:
    values = np.random.default_rng(3).normal(100, 1, 12)
    components = estimated(observed(values, [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3], environments=4))
    assert components.mean_variance > 0
    assert components.between is not None


def test_a_stray_pair_among_waves_of_one_does_not_pass_for_a_split() -> None:
    values = np.random.default_rng(3).normal(100, 1, 8)
    components = estimated(observed(values, [0, 0, 1, 2, 3, 4, 5, 6], environments=3))
    assert components.between is None


def test_unbalanced_labels_weigh_the_environments_as_they_were_called() -> None:
    values = np.array([10.0, 10.0, 10.0, 10.0, 20.0, 30.0])
    components = estimated(observed(values, [0] * 6, environments=3, labels=[0, 0, 0, 0, 1, 2]))
    assert components.within == 0
    assert components.between is not None
    assert components.mean_variance == pytest.approx(components.between * (16 + 1 + 1) / 36)


def test_two_versions_pay_for_their_own_environments() -> None:
    rng = np.random.default_rng(4)
    values, waves = rng.normal(100, 1, 24), np.repeat(np.arange(6), 4).tolist()
    components = estimated(observed(values, waves, environments=8, versions=[0] * 12 + [1] * 12))
    assert components.degrees_of_freedom == 7
    assert components.mean_variance > 0


@pytest.mark.parametrize(("environments", "reason"), [(None, "no cold start was seen"), (1, "one environment")])
def test_too_few_known_environments_say_nothing_about_the_next(environments: int | None, reason: str) -> None:
    result = variance_components(observed(np.arange(1.0, 9.0), list(range(8)), environments=environments))
    assert isinstance(result, NotEstimable)
    assert reason in result.reason
