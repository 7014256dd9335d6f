"""The reasons for a proposal, in a few plain sentences with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuner.model import FULL_VCPU_MB, Cell, CurvePoint, Strategy
from tuner.statistics.curve import FLAT_WITHIN, is_flat, stops_at_one_vcpu
from tuner.units import format_ms, format_usd

MOST_NAMES = 3


def explain(
    points: Sequence[CurvePoint],
    winner: Cell,
    *,
    strategy: Strategy,
    tolerance: float,
    confidence: float | None,
    tied: Sequence[Cell],
    decided: bool,
    limited: bool = False,
) -> str:
    """Why ``winner`` is proposed, or what would decide it. ``points`` are the candidates, measured and priced;
    ``limited`` says that others are none because of a limit."""
    sizes = _sizes(points)
    chosen = next(size for size in sizes if size.cell == winner)
    if len(sizes) == 1 and limited:
        return _alone(chosen)
    if len(sizes) == 1:
        return f"Only {chosen.name} gave usable samples, so there is nothing to compare it with."
    words = _Words(chosen, sizes, strategy, tolerance)
    rivals = words.nearest(tied)
    if decided:
        sentences = [words.position(), words.alternative(rivals), words.beyond(rivals)]
    elif confidence is None:
        sentences = [_undecided(chosen, rivals), words.blindness(), words.position()]
    else:
        sentences = [_undecided(chosen, rivals), words.doubt(confidence), words.position()]
    return " ".join(sentence for sentence in sentences if sentence)


@dataclass(frozen=True, slots=True)
class _Size:
    """A candidate with the two numbers that words compare."""

    name: str
    point: CurvePoint
    cost_usd: float
    duration_ms: float
    estimable: bool

    @property
    def cell(self) -> Cell:
        return self.point.cell

    def objective(self, strategy: Strategy) -> float:
        return self.cost_usd if strategy is Strategy.COST else self.duration_ms


@dataclass(frozen=True, slots=True)
class _Words:
    chosen: _Size
    sizes: Sequence[_Size]
    strategy: Strategy
    tolerance: float

    def nearest(self, cells: Sequence[Cell]) -> list[_Size]:
        """The sizes of ``cells``, those most like the chosen one first."""
        here = self.chosen.objective(self.strategy)
        named = [size for size in self.sizes if size.cell in cells]
        return sorted(named, key=lambda size: abs(size.objective(self.strategy) - here))

    def blindness(self) -> str:
        blind = [size for size in self.sizes if not size.estimable]
        where = "any size" if len(blind) == len(self.sizes) else _listed(blind)
        return (
            f"There is no interval for {where}, as that takes several environments: at least two waves of 5 or more"
            " simultaneous invocations at each size would decide it."
        )

    def doubt(self, confidence: float) -> str:
        best = "the least cost" if self.strategy is Strategy.COST else "the least duration"
        return (
            f"{self.chosen.name} is within {_percent(self.tolerance)} of {best} with a probability of only"
            f" {_percent(confidence)}; more samples of these sizes from more environments would decide it."
        )

    def position(self) -> str:
        """Where the chosen size stands against the best one."""
        best = min(self.sizes, key=lambda size: size.objective(self.strategy))
        return self._cost_position(best) if self.strategy is Strategy.COST else self._speed_position(best)

    def _cost_position(self, best: _Size) -> str:
        chosen = self.chosen
        price, time = f"{format_usd(chosen.cost_usd)} per million", format_ms(chosen.duration_ms)
        if best is chosen:
            return f"{chosen.name} costs least: {price} at {time}."
        if chosen.duration_ms >= best.duration_ms:
            return (
                f"{chosen.name} costs {price}, {self._near(best)} {best.name} ({format_usd(best.cost_usd)}), which"
                " has too few samples to be proposed."
            )
        return (
            f"{chosen.name} costs {price}, {self._near(best)} the cheapest size ({best.name},"
            f" {format_usd(best.cost_usd)}), and is {_less(chosen.duration_ms, best.duration_ms)} faster than it."
        )

    def _speed_position(self, best: _Size) -> str:
        chosen = self.chosen
        price, time = f"{format_usd(chosen.cost_usd)} per million", format_ms(chosen.duration_ms)
        if best is chosen:
            return f"{chosen.name} is fastest: {time} on average for {price}."
        return (
            f"{chosen.name} takes {time} on average, {self._near(best)} the fastest size ({best.name},"
            f" {format_ms(best.duration_ms)}), and costs {_less(chosen.cost_usd, best.cost_usd)} less than it."
        )

    def _near(self, best: _Size) -> str:
        excess = self.chosen.objective(self.strategy) / best.objective(self.strategy) - 1
        return (
            f"within {_percent(self.tolerance)} of" if excess <= self.tolerance else f"{_percent(excess)} more than"
        )

    def alternative(self, rivals: Sequence[_Size]) -> str:
        """Rivals that would win if they were surely within the tolerance, or that are simply as good."""
        if not rivals:
            return ""
        gain, rival = max(((self._gain(rival), rival) for rival in rivals), key=lambda pair: pair[0])
        if gain < FLAT_WITHIN:
            return f"{_listed(rivals)} may be as good a choice: the data cannot tell."
        better, objective = ("faster", "cost") if self.strategy is Strategy.COST else ("cheaper", "duration")
        return (
            f"{rival.name} is {_percent(gain)} {better}, but the data cannot tell whether it stays within"
            f" {_percent(self.tolerance)} of the least {objective}."
        )

    def _gain(self, rival: _Size) -> float:
        """Share by which a rival is better in the quantity that decides among sizes within the tolerance."""
        if self.strategy is Strategy.COST:
            return 1 - rival.duration_ms / self.chosen.duration_ms
        return 1 - rival.cost_usd / self.chosen.cost_usd

    def beyond(self, rivals: Sequence[_Size]) -> str:
        """What more memory would buy on the same architecture, where that was not said of a rival already."""
        chosen = self.chosen
        same = [size for size in self.sizes if size.cell.architecture is chosen.cell.architecture]
        points = [size.point for size in same]
        larger = [size for size in same if size.cell.memory_mb > chosen.cell.memory_mb]
        if is_flat(points):
            times = sorted(size.duration_ms for size in same)
            spread = f"{format_ms(times[0])} to {format_ms(times[-1])}"
            return f"Memory does not change the duration ({spread}), only the cost."
        if not larger:
            return ""
        if stops_at_one_vcpu(points) and chosen.cell.memory_mb >= FULL_VCPU_MB * 0.95:
            return f"More memory costs more and buys nothing above {FULL_VCPU_MB} MB, as the work is single-threaded."
        return "" if larger[0] in rivals else _step(chosen, larger[0])


def _sizes(points: Sequence[CurvePoint]) -> list[_Size]:
    several = len({point.architecture for point in points}) > 1
    return [
        _Size(
            name=f"{p.memory_mb} MB {p.architecture}" if several else f"{p.memory_mb} MB",
            point=p,
            cost_usd=p.cost_usd_per_million.point,
            duration_ms=p.duration_ms.mean.point,
            estimable=p.duration_ms.mean.estimable and p.cost_usd_per_million.estimable,
        )
        for p in points
        if p.duration_ms is not None and p.cost_usd_per_million is not None
    ]


def _undecided(chosen: _Size, rivals: Sequence[_Size]) -> str:
    if not rivals:
        return f"Undecided, {chosen.name} leads."
    return f"Undecided: {_listed([chosen, *rivals])}."


def _alone(chosen: _Size) -> str:
    price, time = f"{format_usd(chosen.cost_usd)} per million", format_ms(chosen.duration_ms)
    return f"{chosen.name} costs {price} at {time}; no other measured size may be proposed under the limits."


def _step(chosen: _Size, following: _Size) -> str:
    more = following.cost_usd / chosen.cost_usd - 1
    gain = 1 - following.duration_ms / chosen.duration_ms
    cost = f"costs {_percent(more)} more" if more >= 0.005 else "costs no more"
    speed = f"{_percent(gain)} faster" if gain > FLAT_WITHIN else "hardly faster"
    return f"{following.name} {cost} and is {speed}."


def _listed(sizes: Sequence[_Size]) -> str:
    names = [size.name for size in sizes[:MOST_NAMES]]
    if len(sizes) > MOST_NAMES:
        names.append(f"{len(sizes) - MOST_NAMES} more")
    return " or ".join(names)


def _less(value: float, than: float) -> str:
    return _percent(1 - value / than)


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"
