"""The reasons for a proposal, in a few plain sentences, with the numbers of the curve that stands beside them.

Words are made last, when the figures are final: a size whose luck was taken off, or that was measured again, costs
here what it costs in the table.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tuner.model import (
    FULL_VCPU_MB,
    BudgetStatus,
    Cell,
    CurvePoint,
    CurveStatus,
    LimitCheck,
    Recommendation,
    Strategy,
)
from tuner.statistics.curve import FLAT_WITHIN, is_flat, stops_at_one_vcpu
from tuner.statistics.decision import SURE
from tuner.statistics.limits import limits_sentence
from tuner.units import format_ms, format_probability, format_share, format_usd

HARDLY = 0.005
"""Smaller differences would be written as 0 %."""

_BEST = {
    Strategy.COST: "the least cost",
    Strategy.SPEED: "the least mean duration",
    Strategy.BALANCED: "the least weighted product of cost and duration",
    Strategy.KNEE: "the least distance to the knee between cost and duration",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a choice rests on, apart from its figures."""

    candidates: Collection[Cell]
    """Measured sizes that might have been proposed; the others on a curve are predicted, or excluded."""
    asked: float = SURE
    """Probability from which on a choice is decided."""
    limits: Sequence[LimitCheck] = ()
    searched: int | None = None
    """Among how many sizes a search chose, by its model of all of them; None where every size was measured."""
    again: bool = False
    """The figures of the candidates come from environments that took no part in the choice."""


def explain(choice: Recommendation, points: Sequence[CurvePoint], case: Case) -> str:
    """Why the size is proposed, or what would decide it. ``points`` are the curve as its reader sees it."""
    words = _words(choice, points, case)
    parts = (*words.reasons(), words.account(), limits_sentence(case.limits))
    return " ".join(sentence for sentence in parts if sentence)


@dataclass(frozen=True, slots=True)
class _Size:
    """A size with the two numbers that words compare."""

    name: str
    point: CurvePoint
    cost_usd: float
    duration_ms: float
    estimable: bool

    @property
    def cell(self) -> Cell:
        return self.point.cell

    @property
    def price(self) -> str:
        return f"{format_usd(self.cost_usd)} per million"

    @property
    def trade(self) -> str:
        return f"{format_usd(self.cost_usd)} at {format_ms(self.duration_ms)}"

    def objective(self, strategy: Strategy) -> float:
        """What cost and speed keep near its least; the other strategies have no single quantity to show."""
        return self.cost_usd if strategy is Strategy.COST else self.duration_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    choice: Recommendation
    case: Case
    chosen: _Size
    sizes: Sequence[_Size]
    """The candidates, smallest first."""
    rivals: Sequence[str]
    """Names of the sizes that the data cannot tell from the chosen one, measured or not."""
    measured: int
    kind: str
    """Which sizes the candidates are among those on the curve: "measured", say; empty where they are all."""

    def reasons(self) -> Sequence[str]:
        if len(self.sizes) == 1 and self.case.searched is None:
            return (self.alone(),)
        if self.choice.decided:
            return (self.position(), self.alternative(), self.beyond())
        return (self.undecided(), self.doubt(), self.position())

    def alone(self) -> str:
        chosen = self.chosen
        if self.case.again:
            may = " may be proposed" if self.case.limits else " took part"
            return f"{chosen.name} costs {chosen.price} at {format_ms(chosen.duration_ms)}; no other size{may}."
        if self.case.limits:
            return (
                f"{chosen.name} costs {chosen.price} at {format_ms(chosen.duration_ms)}; no other measured size may"
                " be proposed under the limits."
            )
        return f"Only {chosen.name} gave usable samples, so there is nothing to compare it with."

    def undecided(self) -> str:
        if not self.rivals:
            return f"Undecided, {self.chosen.name} leads."
        return f"Undecided: {_listed([self.chosen.name, *self.rivals])}."

    def doubt(self) -> str:
        """What keeps the choice from being decided, and what would."""
        confidence, asked = self.choice.confidence, self.case.asked
        if confidence is None:
            return self.blindness()
        if confidence < asked:
            return (
                f"{self.chosen.name} is within {format_share(self.choice.tolerance)} of {_BEST[self.choice.strategy]}"
                f" with a probability of {format_probability(confidence)}, where {format_share(asked)} is asked: more"
                " samples from more environments can decide it."
            )
        return self.reservation()

    def blindness(self) -> str:
        blind = [size.name for size in self.sizes if not size.estimable]
        where = "any size" if len(blind) == len(self.sizes) else _listed(blind)
        return (
            f"There is no interval for {where}, as that takes several environments: at least two waves of 5 or more"
            " simultaneous invocations at each size would decide it."
        )

    def reservation(self) -> str:
        """Sure enough by its probability, and yet not decided."""
        chosen, point = self.chosen, self.chosen.point
        check = next((check for check in self.case.limits if check.cell == chosen.cell), None)
        if self.case.limits and (check is None or check.status is not BudgetStatus.MET):
            return f"It is not shown that {chosen.name} keeps the limits."
        if point.errors:
            return f"Some calls at {chosen.name} failed, so it is not called decided."
        environments = "an unknown number of" if point.environments is None else point.environments
        return (
            f"Too few undisturbed calls were made at {chosen.name} itself to call it decided (n = {point.n} on"
            f" {environments} environments)."
        )

    def position(self) -> str:
        """Where the chosen size stands against the best one."""
        if len(self.sizes) == 1:
            return f"{self.chosen.name} costs {self.chosen.price} at {format_ms(self.chosen.duration_ms)}."
        if self.choice.strategy is Strategy.COST:
            return self._cost_position()
        return self._speed_position() if self.choice.strategy is Strategy.SPEED else self._trade_position()

    def _cost_position(self) -> str:
        chosen, best = self.chosen, self._least(Strategy.COST)
        if best is chosen:
            return f"{chosen.name} costs least{self._among()}: {chosen.price} at {format_ms(chosen.duration_ms)}."
        than = f"{self._near(best)} {self._superlative('cheapest')} ({best.name}, {format_usd(best.cost_usd)})"
        gain = _less(chosen.duration_ms, best.duration_ms)
        if gain >= HARDLY:
            return f"{chosen.name} costs {chosen.price}, {than}, and is {_percent(gain)} faster than it."
        return f"{chosen.name} costs {chosen.price}, {than}{self._less_known(best)}."

    def _speed_position(self) -> str:
        chosen, best = self.chosen, self._least(Strategy.SPEED)
        if best is chosen:
            time = f"{format_ms(chosen.duration_ms)} on average"
            return f"{chosen.name} is fastest{self._among()}: {time} for {chosen.price}."
        than = f"{self._near(best)} {self._superlative('fastest')} ({best.name}, {format_ms(best.duration_ms)})"
        taken = f"{chosen.name} takes {format_ms(chosen.duration_ms)} on average, {than}"
        gain = _less(chosen.cost_usd, best.cost_usd)
        if gain >= HARDLY:
            return f"{taken}, and costs {_percent(gain)} less than it."
        return f"{taken}{self._less_known(best)}."

    def _trade_position(self) -> str:
        """With both ends of the trade: their product, or the knee between them, is no number that a table shows."""
        chosen, cheapest, fastest = self.chosen, self._least(Strategy.COST), self._least(Strategy.SPEED)
        near = f"is within {format_share(self.choice.tolerance)} of {_BEST[self.choice.strategy]}:"
        ends = f"is {cheapest.name} ({cheapest.trade}), the fastest {fastest.name} ({fastest.trade})"
        return (
            f"{chosen.name} {near if self.choice.decided else 'costs'} {chosen.trade};"
            f" {self._superlative('cheapest')} {ends}."
        )

    def _least(self, strategy: Strategy) -> _Size:
        """The best size; of equals the chosen one."""
        return min(self.sizes, key=lambda size: (size.objective(strategy), size is not self.chosen))

    def _near(self, best: _Size) -> str:
        strategy, tolerance = self.choice.strategy, self.choice.tolerance
        excess = self.chosen.objective(strategy) / best.objective(strategy) - 1
        return f"within {format_share(tolerance)} of" if excess <= tolerance else f"{_percent(excess)} more than"

    def _less_known(self, best: _Size) -> str:
        """Why the best size by its figures is not the chosen one, where another sentence does not say it."""
        fewer = best.point.n < self.chosen.point.n
        if best.name in self.rivals or not fewer:
            return ""
        return f", of which less is known (n = {best.point.n} against {self.chosen.point.n})"

    def _superlative(self, word: str) -> str:
        return f"the {word} size{self._of_kind()}"

    def _among(self) -> str:
        return f" of the sizes{self._of_kind()}" if self.kind else ""

    def _of_kind(self) -> str:
        return f" {self.kind}" if self.kind else ""

    def alternative(self) -> str:
        """Rivals that would win if they were surely within the tolerance, or that are simply as good."""
        rivals = [size for size in self.sizes if size.name in self.rivals]
        if not rivals:
            return ""
        gain, rival = max(((self._gain(rival), rival) for rival in rivals), key=lambda pair: pair[0])
        if gain < FLAT_WITHIN:
            return f"{_listed(self.rivals)} may be as good a choice: the data cannot tell."
        better = "faster" if self.choice.strategy is Strategy.COST else "cheaper"
        return (
            f"{rival.name} is {_percent(gain)} {better}, but the data cannot tell whether it stays within"
            f" {format_share(self.choice.tolerance)} of {_BEST[self.choice.strategy]}."
        )

    def _gain(self, rival: _Size) -> float:
        """Share by which a rival is better in the quantity that decides among sizes within the tolerance."""
        if self.choice.strategy is Strategy.COST:
            return _less(rival.duration_ms, self.chosen.duration_ms)
        return _less(rival.cost_usd, self.chosen.cost_usd)

    def beyond(self) -> str:
        """What more memory would buy on the same architecture, where that was not said of a rival already."""
        chosen = self.chosen
        same = [size for size in self.sizes if size.cell.architecture is chosen.cell.architecture]
        points = [size.point for size in same]
        larger = [size for size in same if size.cell.memory_mb > chosen.cell.memory_mb]
        if is_flat(points):
            times = sorted(size.duration_ms for size in same)
            spread = f"{format_ms(times[0])} to {format_ms(times[-1])}"
            return f"Memory does not change the duration by more than {format_share(FLAT_WITHIN)} ({spread})."
        if not larger:
            return ""
        if stops_at_one_vcpu(points) and chosen.cell.memory_mb >= FULL_VCPU_MB * 0.95:
            return (
                f"More memory buys less than {format_share(FLAT_WITHIN)} above {FULL_VCPU_MB} MB, as with"
                " single-threaded work."
            )
        return "" if larger[0].name in self.rivals else _step(chosen, larger[0])

    def account(self) -> str:
        """How a search came to its choice, whose model knows more than the figures of each size alone."""
        if self.case.searched is None:
            return ""
        return (
            f"This is by the search's model of {self.case.searched} sizes, {self.measured} of them measured; the"
            " figures shown for these are of their own calls alone."
        )


def _words(choice: Recommendation, points: Sequence[CurvePoint], case: Case) -> _Words:
    several = len({point.architecture for point in points}) > 1
    sizes = _sizes(points, several=several)
    winner = Cell(choice.memory_mb, choice.architecture)
    candidates = [size for size in sizes if size.cell in {winner, *case.candidates}]
    return _Words(
        choice=choice,
        case=case,
        chosen=next(size for size in candidates if size.cell == winner),
        sizes=candidates,
        rivals=[_name(cell, several=several) for cell in choice.tied if cell != winner],
        measured=sum(size.point.status is CurveStatus.MEASURED for size in sizes),
        kind=_kind(case, [size for size in sizes if size not in candidates]),
    )


def _kind(case: Case, others: Sequence[_Size]) -> str:
    """What sets the candidates apart from the ``others`` on the curve."""
    if case.again:
        return "measured again" if others else ""
    if any(size.point.status is CurveStatus.MEASURED for size in others):
        return "that may be proposed"
    return "measured" if others else ""


def _sizes(points: Sequence[CurvePoint], *, several: bool) -> list[_Size]:
    return [
        _Size(
            name=_name(p.cell, several=several),
            point=p,
            cost_usd=p.cost_usd_per_million.point,
            duration_ms=p.duration_ms.mean.point,
            estimable=p.duration_ms.mean.estimable and p.cost_usd_per_million.estimable,
        )
        for p in sorted(points, key=lambda p: p.cell)
        if p.duration_ms is not None and p.cost_usd_per_million is not None
    ]


def _name(cell: Cell, *, several: bool) -> str:
    return f"{cell.memory_mb} MB {cell.architecture}" if several else f"{cell.memory_mb} MB"


def _step(chosen: _Size, following: _Size) -> str:
    more = -_less(following.cost_usd, chosen.cost_usd)
    gain = _less(following.duration_ms, chosen.duration_ms)
    cost = "costs as much" if abs(more) < HARDLY else f"costs {_percent(abs(more))} {'more' if more > 0 else 'less'}"
    hardly = "hardly faster" if gain >= HARDLY else "no faster"
    speed = f"{_percent(gain)} faster" if gain > FLAT_WITHIN else hardly
    few = f" (n = {following.point.n})" if following.point.n < chosen.point.n else ""
    return f"{following.name} {cost} and is {speed}{few}."


def _listed(names: Sequence[str]) -> str:
    """``A, B or C``: all of them, in the order in which the answer above names them."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _less(value: float, than: float) -> float:
    """The share by which ``value`` is less; negative where it is more."""
    return 1 - value / than


def _percent(share: float) -> str:
    """A difference between two figures, in whole per cent."""
    return f"{share * 100:.0f} %"
