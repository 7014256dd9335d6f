"""Whether environments that took no part in choosing a size bear the choice out.

Winner, rival and current size are measured again, interleaved, on fresh environments. Their figures in the report
come from these calls alone, which luck cannot have chosen. The choice itself rests on more calls than these, so it
stands unless they make it more likely wrong than right; then a size that they surely bear out takes its place, and
without such a size nothing is decided. A tie that they settle is settled.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from tuner.model import (
    BudgetStatus,
    Cell,
    CurvePoint,
    CurveStatus,
    LimitCheck,
    Notice,
    Price,
    Recommendation,
    Sample,
    Severity,
    Strategy,
)
from tuner.statistics.decision import SURE, columns, within
from tuner.statistics.recommendation import Rule, candidates_of, decided_by, draws_of, versus_current
from tuner.units import format_probability

CONTRADICTED = 0.5
"""A choice that fresh environments call right with less than this probability does not stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What fresh environments say of a choice: their own sentence is the rationale, as far as it goes."""

    recommendation: Recommendation
    notices: tuple[Notice, ...]
    contest: tuple[Cell, ...] = ()
    """The sizes that were measured again and might have been proposed; none where nothing was confirmed."""


def cells_to_confirm(
    choice: Recommendation, points: Sequence[CurvePoint], current: Cell | None, limits: Sequence[LimitCheck] = ()
) -> tuple[Cell, ...]:
    """The proposed size, the one that comes closest to it within the limits, and the current one, each once."""
    proposed = Cell(choice.memory_mb, choice.architecture)
    beyond = {check.cell for check in limits if check.status is BudgetStatus.BREACHED}
    rival = _rival(choice, [point for point in points if point.cell not in beyond], proposed)
    return tuple(dict.fromkeys(cell for cell in (proposed, rival, current) if cell is not None))


def confirm(
    choice: Recommendation,
    points: Sequence[CurvePoint],
    samples: Sequence[Sample],
    prices: Sequence[Price],
    *,
    rule: Rule,
    current: Cell | None,
    limits: Sequence[LimitCheck] = (),
    seed: int = 1,
) -> Confirmation:
    """The choice as fresh ``samples`` and their ``points`` leave it: confirmed, replaced, undecided, or as it was
    with a notice where the samples are too few to say."""
    measured = candidates_of(points, samples, prices, rule.cold_fraction)
    proposed = Cell(choice.memory_mb, choice.architecture)
    beyond = {check.cell for check in limits if check.status is not BudgetStatus.MET} - {proposed}
    contest = [c for c in measured if not c.exhausted and c.cell not in beyond]
    draws = draws_of(contest, seed) if any(c.cell == proposed for c in contest) else None
    if draws is None:
        return Confirmation(recommendation=choice, notices=(_incomplete(proposed),))
    objective, _ = columns(rule.strategy, *draws, weight=rule.weight)
    near = within(objective, rule.tolerance).mean(axis=0)
    chances = {candidate.cell: float(chance) for candidate, chance in zip(contest, near, strict=True)}
    decision = decided_by(contest, draws, rule)
    better = contest[decision.winner].cell
    if decision.sure and better in choice.tied and chances[proposed] >= CONTRADICTED:
        verdict = _settled_tie(proposed, better, chances)
    else:
        verdict = _verdict(choice, proposed, chances, shown=not limits or _met(limits, proposed))
    winner = next(c for c in contest if c.cell == verdict.cell)
    recommendation = replace(
        choice,
        memory_mb=verdict.cell.memory_mb,
        architecture=verdict.cell.architecture,
        confidence=verdict.confidence,
        tied=verdict.tied,
        decided=verdict.decided,
        confirmed=True,
        versus_current=versus_current(winner, measured, current) or choice.versus_current,
        rationale=verdict.sentence,
    )
    return Confirmation(
        recommendation=recommendation,
        notices=verdict.notices,
        contest=tuple(candidate.cell for candidate in contest),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    cell: Cell
    confidence: float | None
    tied: tuple[Cell, ...]
    decided: bool
    sentence: str
    notices: tuple[Notice, ...] = ()


def _settled_tie(proposed: Cell, better: Cell, chances: dict[Cell, float]) -> _Verdict:
    """A tied size that wins by the rule once it is sure to be within the tolerance, as it now is."""
    return _Verdict(
        cell=better,
        confidence=chances[better],
        tied=(),
        decided=True,
        sentence=f"Fresh environments settle the tie of {_name(proposed, chances)} and {_name(better, chances)}.",
    )


def _verdict(choice: Recommendation, proposed: Cell, chances: dict[Cell, float], *, shown: bool) -> _Verdict:
    chance = chances[proposed]
    if chance >= CONTRADICTED:
        settled = chance >= SURE and set(choice.tied) <= set(chances) and shown
        return _Verdict(
            cell=proposed,
            confidence=choice.confidence if choice.decided or not settled else chance,
            tied=choice.tied,
            decided=choice.decided or settled,
            sentence="Measured again on fresh environments, which bear the choice out.",
        )
    best = max(chances, key=lambda cell: (chances[cell], cell))
    said = f"Fresh environments contradict the choice of {_name(proposed, chances)}"
    message = f"{said}, which they call right with a probability of {format_probability(chance)}."
    if chances[best] >= SURE:
        message += f" {_name(best, chances)} takes its place: {format_probability(chances[best])}."
        return _Verdict(
            cell=best,
            confidence=chances[best],
            tied=(),
            decided=shown,
            sentence=message,
            notices=(_contradicted(message),),
        )
    return _Verdict(
        cell=best,
        confidence=chances[best],
        tied=tuple(sorted({proposed, *choice.tied} - {best})),
        decided=False,
        sentence=message,
        notices=(_contradicted(message),),
    )


def _rival(choice: Recommendation, points: Sequence[CurvePoint], proposed: Cell) -> Cell | None:
    """The tied size, or else any measured one, whose cost (or duration) comes closest to the least; a tied size that
    is only predicted where no tied one was measured."""
    measured = [p for p in points if p.status is CurveStatus.MEASURED and p.cell != proposed]
    known = [p for p in measured if p.duration_ms is not None and p.cost_usd_per_million is not None]
    tied = [point for point in known if point.cell in choice.tied]

    def objective(point: CurvePoint) -> float:
        if point.duration_ms is None or point.cost_usd_per_million is None:
            raise AssertionError("points without a duration and a cost were left out")
        cost, duration = point.cost_usd_per_million.point, point.duration_ms.mean.point
        return {Strategy.COST: cost, Strategy.SPEED: duration}.get(choice.strategy, cost * duration)

    if choice.tied and not tied:
        return choice.tied[0]
    closest = min(tied or known, key=lambda point: (objective(point), point.cell), default=None)
    return None if closest is None else closest.cell


def _met(limits: Sequence[LimitCheck], cell: Cell) -> bool:
    return any(check.cell == cell and check.status is BudgetStatus.MET for check in limits)


def _name(cell: Cell, beside: Collection[Cell] = ()) -> str:
    """``512 MB``, with the architecture where that alone would not say which size of ``beside`` is meant."""
    several = len({other.architecture for other in (cell, *beside)}) > 1
    return f"{cell.memory_mb} MB {cell.architecture}" if several else f"{cell.memory_mb} MB"


def _contradicted(message: str) -> Notice:
    return Notice(
        code="confirmation-contradicts",
        severity=Severity.WARNING,
        message=message,
        remedy="Run it again with more samples or a higher --confidence if the difference matters.",
    )


def _incomplete(proposed: Cell) -> Notice:
    return Notice(
        code="not-confirmed",
        severity=Severity.WARNING,
        message=f"{_name(proposed)} could not be confirmed: too few calls on fresh environments came back to compare "
        "it. Its figures come from the calls that chose it.",
        remedy="Allow more calls (--max-cost, --max-invocations), or larger waves (--wave).",
    )
