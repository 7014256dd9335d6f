"""Which samples are cold starts, and what the others are: a forced cold start is a first call that shows an init.

A version just published has no environments, so each of its first calls starts one. Those that show no init are
exceptions with causes of their own, and belong neither to the cold starts nor to the warm calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tuner.model import NO_EVIDENCE, Cell, ColdCounts, ColdSource, InitBilling, Outcome, Sample, StartKind
from tuner.pricing import INIT_LIMIT_MS
from tuner.statistics.cold.periods import Period, longest_period, period_of

SURE_INIT_TIMEOUT = 0.99
"""Share of the 10 s limit by which the caller must have waited longer than the function ran."""

CRASHES = frozenset({Outcome.TIMEOUT, Outcome.OUT_OF_MEMORY, Outcome.INIT_ERROR})
"""What ends the runtime process; an error raised by the handler does not."""
_PLATFORM_ERRORS = ("Runtime.", "Extension.", "Sandbox.")

_GROUPS = (
    "cold",
    "initialised_ahead",
    "reused",
    "init_timeouts",
    "warm",
    "after_failure",
    "failed",
    "unreported",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdSamples:
    """All samples of one cell, each in exactly one group. See ``ColdCounts`` for what the groups are."""

    cell: Cell
    source: ColdSource
    cold: tuple[Sample, ...]
    initialised_ahead: tuple[Sample, ...]
    reused: tuple[Sample, ...]
    init_timeouts: tuple[Sample, ...]
    warm: tuple[Sample, ...]
    after_failure: tuple[Sample, ...]
    failed: tuple[Sample, ...]
    unreported: tuple[Sample, ...]

    @property
    def counts(self) -> ColdCounts:
        return ColdCounts(
            cold=len(self.cold),
            initialised_ahead=len(self.initialised_ahead),
            reused=len(self.reused),
            init_timeouts=len(self.init_timeouts),
            warm=len(self.warm),
            after_failure=len(self.after_failure),
            failed=len(self.failed),
            unreported=len(self.unreported),
            batches=len(set(self.batches_of(self.cold))),
        )

    def batches_of(self, samples: Sequence[Sample]) -> tuple[str, ...]:
        """For each sample the name of its batch: what was started together resembles each other.

        Forced cold starts come in batches by version. Those of a log are told apart by day where there are enough
        days, else by hour; ``period_for`` may take hours for one of their quantities.
        """
        if self.source is ColdSource.FORCED:
            return tuple(sample.version for sample in samples)
        period = longest_period(sample.started_at for sample in self.cold)
        return tuple(period.of(sample.started_at) for sample in samples)

    def period_for(self, samples: Sequence[Sample], values: Sequence[float]) -> Period | None:
        """What the batches of one quantity of a log are: hours, unless days differ in it. None for versions."""
        if self.source is ColdSource.FORCED:
            return None
        return period_of(values, [sample.started_at for sample in samples])

    @property
    def start_kind(self) -> StartKind | None:
        """The more frequent kind; None without a cold start."""
        if not self.cold:
            return None
        restored = sum(sample.restore_ms is not None for sample in self.cold)
        return StartKind.RESTORE if 2 * restored > len(self.cold) else StartKind.INIT

    def starts(self) -> tuple[Sample, ...]:
        """The cold starts of that kind, of which all quantities are known: two kinds are never pooled."""
        kind = self.start_kind
        return tuple(sample for sample in self.cold if kind is not None and start_ms(sample, kind) is not None)


def start_ms(sample: Sample, kind: StartKind) -> float | None:
    return sample.restore_ms if kind is StartKind.RESTORE else sample.init_ms


def recognise(
    samples: Iterable[Sample], cells: Sequence[Cell], source: ColdSource = ColdSource.FORCED
) -> tuple[ColdSamples, ...]:
    """The samples of each of ``cells``, in that order, told apart.

    Samples of a log were not forced: there an invocation without init is a warm one, whichever came first.
    """
    by_cell: dict[Cell, list[Sample]] = defaultdict(list)
    for sample in sorted(samples, key=lambda sample: sample.sequence):
        by_cell[sample.cell].append(sample)
    return tuple(_recognise_cell(cell, source, by_cell[cell]) for cell in cells)


def init_billing(cold: Iterable[Sample]) -> InitBilling:
    """Whether lines bill the init: ``billed >= duration + init`` or only ``billed >= duration``.

    On demand every init is billed since 2025-08-01 (AWS Compute Blog, 2025-04-29); container images and custom
    runtimes were before. The text format rounds to 0.01 ms, so an init below 2 ms tells nothing.
    """
    seen = {
        sample.billed_ms >= sample.duration_ms + sample.init_ms - 1
        for sample in cold
        if sample.init_ms is not None
        and sample.init_ms >= 2
        and sample.billed_ms is not None
        and sample.duration_ms is not None
    }
    if not seen:
        return InitBilling.UNKNOWN
    if len(seen) == 2:
        return InitBilling.MIXED
    return InitBilling.BILLED if seen == {True} else InitBilling.NOT_BILLED


def _recognise_cell(cell: Cell, source: ColdSource, samples: Sequence[Sample]) -> ColdSamples:
    groups: dict[str, list[Sample]] = defaultdict(list)
    by_version: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_version[sample.version].append(sample)
    for calls in by_version.values():
        doubtful = _after_crashes(calls)
        for position, sample in enumerate(calls):
            groups[_group(sample, calls, source, doubtful=position in doubtful)].append(sample)
    in_order = {name: tuple(sorted(members, key=lambda sample: sample.sequence)) for name, members in groups.items()}
    return ColdSamples(
        cell=cell,
        source=source,
        **{name: in_order.get(name, ()) for name in _GROUPS},
    )


def _group(sample: Sample, calls: Sequence[Sample], source: ColdSource, *, doubtful: bool) -> str:
    """The group of one of ``calls``, which are all of one version in the order they were numbered."""
    if sample.outcome in NO_EVIDENCE or (sample.outcome is Outcome.OK and sample.duration_ms is None):
        return "unreported"
    if sample.outcome is not Outcome.OK:
        return "failed"
    if sample.cold:
        return "cold"
    if source is ColdSource.FORCED and _wave(sample) == _wave(calls[0]):
        return _first_call_without_init(sample, calls)
    return "after_failure" if doubtful else "warm"


def _first_call_without_init(sample: Sample, calls: Sequence[Sample]) -> str:
    if sample.duration_ms is not None and sample.client_ms - sample.duration_ms >= SURE_INIT_TIMEOUT * INIT_LIMIT_MS:
        return "init_timeouts"
    if any(_left_before(other, sample) for other in calls if other is not sample):
        return "reused"
    return "initialised_ahead"


def _left_before(other: Sample, sample: Sample) -> bool:
    """Whether ``other`` may have left its environment to ``sample``: a throttled call is repeated later, and a very
    short one is over before the last of its wave begins."""
    if sample.environment is not None and other.environment is not None:
        earlier = (_started(other), other.sequence) < (_started(sample), sample.sequence)
        return sample.environment == other.environment and earlier
    ended = _started(other) + timedelta(milliseconds=other.client_ms)
    return ended <= _started(sample)


def _after_crashes(calls: Sequence[Sample]) -> frozenset[int]:
    """Positions of calls that may contain an init: the next one on an environment that crashed, and every one in
    later waves where environments have no names."""
    crashed: dict[str | None, tuple[int, int]] = {}
    doubtful = set()
    for position, sample in enumerate(calls):
        where = sample.environment
        possible = crashed.values() if where is None else [crashed[one] for one in (where, None) if one in crashed]
        if any(wave != _wave(sample) for wave in possible):
            doubtful.add(position)
        if _crashed(sample):
            crashed[where] = _wave(sample)
        elif where is not None:
            crashed.pop(where, None)
    return frozenset(doubtful)


def _crashed(sample: Sample) -> bool:
    by_platform = (sample.error_type or "").startswith(_PLATFORM_ERRORS)
    return sample.outcome in CRASHES or (sample.outcome is Outcome.FUNCTION_ERROR and by_platform)


def _wave(sample: Sample) -> tuple[int, int]:
    return sample.block, sample.wave


def _started(sample: Sample) -> datetime:
    return datetime.fromisoformat(sample.started_at)
