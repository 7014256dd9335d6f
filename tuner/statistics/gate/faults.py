"""Why samples cannot be compared at all: what makes a measurement invalid instead of green or red."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import bdtrc

from tuner.model import GatePolicy, Level, Metric
from tuner.statistics.observations import CellSamples

MOST_FAILED = 0.1
"""Share of calls that may fail, or come back without a report, whatever the policy says."""
SURPRISING = 0.05
"""A share of errors is above what is allowed when chance explains it with less than this probability."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison, with its name in sentences."""

    name: str
    arm: CellSamples

    @property
    def calls(self) -> int:
        arm = self.arm
        return len(arm.warm) + len(arm.cold) + len(arm.initialised_ahead) + len(arm.errors) + arm.unreported


def faults(base: Side, head: Side, policy: GatePolicy) -> tuple[str, ...]:
    """Sentences that say why base and head cannot be compared; empty where they can."""
    most = policy.most_errors if _errors_decide(policy) else MOST_FAILED
    return tuple(reason for side in (head, base) if (reason := _fault(side, most)) is not None)


def _errors_decide(policy: GatePolicy) -> bool:
    return any(rule.metric is Metric.ERRORS and rule.level is Level.ERROR for rule in policy.rules)


def _fault(side: Side, most_errors: float) -> str | None:
    if side.calls == 0:
        return f"{side.name} was never called"
    failed, reported = len(side.arm.errors), side.calls - side.arm.unreported
    if failed and too_many(failed, reported, most_errors):
        return f"{failed} of {reported} calls of {side.name} failed{_most_common_error(side)}"
    if side.arm.unreported > MOST_FAILED * side.calls:
        if side.arm.lost:
            return f"{side.arm.lost} of {side.calls} calls of {side.name} were lost: no usable answer came back"
        return f"{side.arm.unreported} of {side.calls} calls of {side.name} came back without a report"
    if not side.arm.warm:
        return f"no warm call of {side.name} succeeded"
    return None


def too_many(failed: int, calls: int, most: float) -> bool:
    """Whether so many failures say that their share is above ``most``: by a binomial test, or as a plain tenth."""
    return failed > MOST_FAILED * calls or float(bdtrc(failed - 1, calls, most)) < SURPRISING


def _most_common_error(side: Side) -> str:
    """Of the most frequent kind of failure, its name."""
    kinds = [sample.error_type or sample.outcome.value for sample in side.arm.errors]
    return f", most often with {max(sorted(set(kinds)), key=kinds.count)}"
