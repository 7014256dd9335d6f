"""Whatever a run leaves behind, the analysis answers, and its answer keeps its promises."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.statistics.factory import PRICE, cell, explained, sample
from tuner.model import CurveStatus, Outcome, Sample, Strategy
from tuner.statistics.curve import curve_notices, curve_points
from tuner.statistics.fit import fit_curves
from tuner.statistics.recommendation import Rule, recommend

SIZES = (128, 256, 1769, 3008)
durations = st.one_of(st.none(), st.floats(0, 900_000), st.just(0.0), st.sampled_from([1.0, 1.01]))


@st.composite
def any_sample(draw: st.DrawFn) -> Sample:
    return sample(
        draw(st.sampled_from(SIZES)),
        sequence=draw(st.integers(0, 50)),
        wave=draw(st.integers(0, 4)),
        version=draw(st.sampled_from(["1", "2"])),
        outcome=draw(st.sampled_from([Outcome.OK, Outcome.OK, Outcome.OK, *Outcome])),
        duration_ms=draw(durations),
        billed_ms=draw(durations),
        init_ms=draw(st.sampled_from([None, None, 0.0, 150.0])),
        environment=draw(st.sampled_from([None, "a", "b"])),
        max_memory_used_mb=draw(st.sampled_from([None, 40, 4000])),
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(any_sample(), max_size=60), st.sampled_from(Strategy), st.sampled_from([0.0, 0.05]))
def test_any_mixture_of_samples_gives_consistent_results(
    samples: list[Sample], strategy: Strategy, tolerance: float
) -> None:
    points = curve_points(samples, [cell(size) for size in SIZES], [PRICE])
    fits = fit_curves(points)
    curve_notices(points, fits, samples)
    assert [point.memory_mb for point in points] == list(SIZES)
    for point in points:
        assert (point.status is CurveStatus.MEASURED) == (point.duration_ms is not None)

    found = recommend(
        points, samples, [PRICE], rule=Rule(strategy=strategy, tolerance=tolerance), current=cell(256), seed=1
    )
    if found is not None:
        chosen = cell(found.memory_mb)
        assert chosen in {point.cell for point in points if point.duration_ms is not None}
        assert chosen not in found.tied
        assert not found.decided or (found.confidence is not None and found.confidence >= 0.9)
        assert found.decided != explained(found, points, samples).startswith(("Undecided", "Only"))
