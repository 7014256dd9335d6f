"""What to know about cold starts before trusting their numbers, and where to look next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from tuner.model import (
    ColdCell,
    ColdEconomics,
    ColdQuantity,
    ColdStartGoal,
    InitBilling,
    Notice,
    Severity,
    StartKind,
)
from tuner.statistics.cold.differences import QUANTILES
from tuner.statistics.cold.precision import precise
from tuner.units import format_ms, format_seconds, format_share

MUCH_MORE_THAN_NOTHING = 2.0
"""An init of twice that of a function that does nothing is worth a look at what it loads."""
NOTICEABLE_ICC = 0.2
"""Batches that account for a fifth of the spread: three quarters of published functions show less."""


def study_notices(cells: Sequence[ColdCell], goal: ColdStartGoal, *, seconds: float) -> tuple[Notice, ...]:
    """What a study, as against a log, must say of itself."""
    return (*_fewer_than_wanted(cells, goal), *_not_precise(cells, goal), *_one_occasion(cells, seconds))


def cold_notices(
    cells: Sequence[ColdCell], costs: Sequence[ColdEconomics], *, assumed_fraction: float | None
) -> tuple[Notice, ...]:
    """Notices about the cells, most serious first."""
    found = (
        *_failures(cells),
        *_no_cold_starts(cells),
        *_init_timeouts(cells),
        *_reused(cells),
        *_not_billed(cells),
        *_initialised_ahead(cells),
        *_not_estimable(cells),
        *_two_modes(cells),
        *_batches_differ(cells),
        *_heavy_init(cells),
        *_assumed_fraction(assumed_fraction),
        *_prices_unknown(costs),
    )
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    return tuple(sorted(found, key=lambda notice: order.index(notice.severity)))


def name_of(cell: ColdCell) -> str:
    return f"{cell.memory_mb} MB {cell.architecture}"


def _names(cells: Iterable[ColdCell]) -> str:
    return ", ".join(name_of(cell) for cell in cells)


def _failures(cells: Sequence[ColdCell]) -> Iterator[Notice]:
    failing = [cell for cell in cells if cell.counts.failed]
    if failing:
        failed = sum(cell.counts.failed for cell in failing)
        yield Notice(
            code="failed-invocations",
            severity=Severity.WARNING,
            message=f"{failed} invocations failed at {_names(failing)}; they are in no figure.",
            remedy="Look at the error types of the samples, and give a payload that the function accepts.",
        )


def _no_cold_starts(cells: Sequence[ColdCell]) -> Iterator[Notice]:
    without = [cell for cell in cells if not cell.counts.cold]
    if without:
        yield Notice(
            code="no-cold-starts",
            severity=Severity.ERROR,
            message=f"No cold start was measured at {_names(without)}.",
            remedy="See how its invocations ended; provisioned concurrency hides cold starts as well.",
        )


def _init_timeouts(cells: Sequence[ColdCell]) -> Iterator[Notice]:
    slow = [cell for cell in cells if cell.counts.init_timeouts]
    if slow:
        count = sum(cell.counts.init_timeouts for cell in slow)
        yield Notice(
            code="init-timeouts",
            severity=Severity.WARNING,
            message=f"{count} inits ran into the limit of 10 s at {_names(slow)} and were done again inside the "
            "invocation, where their time is hidden in the duration: they are left out, so real cold starts are "
            "worse than shown.",
            remedy="Load less at start-up, or defer it to the first use.",
        )


def _reused(cells: Sequence[ColdCell]) -> Iterator[Notice]:
    late = [cell for cell in cells if cell.counts.reused]
    if late:
        count = sum(cell.counts.reused for cell in late)
        yield Notice(
            code="reused-environments",
            severity=Severity.INFO,
            message=f"{count} first calls at {_names(late)} came after another call of their batch had ended, and "
            "found its environment warm. They are neither cold nor warm here.",
            remedy="Throttled and very short calls do that: a smaller --wave avoids it.",
        )


def _not_billed(cells: Sequence[ColdCell]) -> Iterator[Notice]:
    odd = [cell for cell in cells if cell.init_billing in {InitBilling.NOT_BILLED, InitBilling.MIXED}]
    if odd:
        what = "do not bill" if all(c.init_billing is InitBilling.NOT_BILLED for c in odd) else "bill only part of"
        yield Notice(
            code="init-not-billed",
            severity=Severity.INFO,
            message=f"The lines at {_names(odd)} {what} the inits. On demand Lambda bills them since 2025-08-01; "
            "costs here follow the lines.",
        )


def _initialised_ahead(cells: Sequence[ColdCell]) -> Iterator[Notice]:
    ahead = [cell for cell in cells if cell.counts.initialised_ahead]
    if ahead:
        count = sum(cell.counts.initialised_ahead for cell in ahead)
        yield Notice(
            code="initialised-ahead",
            severity=Severity.INFO,
            message=f"{count} first calls at {_names(ahead)} showed no init: Lambda had initialised their "
            "environments ahead of time. They are neither cold nor warm here.",
        )


def _not_estimable(cells: Sequence[ColdCell]) -> Iterator[Notice]:
    lacking: dict[str, list[ColdCell]] = {}
    totals = [(cell, cell.total_ms) for cell in cells if cell.total_ms is not None]
    for (cell, total), quantile in product(totals, QUANTILES):
        estimate = total.at(quantile)
        if not estimate.estimable:
            lacking.setdefault(f"p{quantile * 100:g} is {estimate.method}", []).append(cell)
    if lacking:
        reasons = "; ".join(f"{reason} at {_names(where)}" for reason, where in lacking.items())
        yield Notice(
            code="not-estimable",
            severity=Severity.INFO,
            message=f"Percentiles of the total without an honest bound: {reasons}.",
            remedy="Ask for more cold starts with -n.",
        )


def _two_modes(cells: Sequence[ColdCell]) -> Iterator[Notice]:
    for cell in cells:
        # A part's modes show in the total again: one notice a cell is enough.
        for quantity in (ColdQuantity.START, ColdQuantity.FIRST_DURATION, ColdQuantity.TOTAL):
            distribution = cell.distribution(quantity)
            modes = None if distribution is None else distribution.modes
            if modes is not None:
                yield Notice(
                    code="two-modes",
                    severity=Severity.INFO,
                    message=f"At {name_of(cell)} the {_word(cell, quantity)} has two modes, around "
                    f"{format_ms(modes.low_ms)} and, in {modes.share_high * 100:.0f} % of cold starts, around "
                    f"{format_ms(modes.high_ms)} (dip test, p = {modes.p_value:.2g}): look at the distribution, "
                    "not at one percentile.",
                )
                break


def _word(cell: ColdCell, quantity: ColdQuantity) -> str:
    if quantity is ColdQuantity.START:
        return "restore" if cell.start_kind is StartKind.RESTORE else "init"
    return quantity.value.replace("_", " ")


def _batches_differ(cells: Sequence[ColdCell]) -> Iterator[Notice]:
    shares = [(cell, cell.total_ms.batch_icc) for cell in cells if cell.total_ms is not None]
    differing = [(cell, icc) for cell, icc in shares if icc is not None and icc >= NOTICEABLE_ICC]
    if differing:
        most = max(icc for _, icc in differing)
        yield Notice(
            code="batches-differ",
            severity=Severity.INFO,
            message=f"Up to {most * 100:.0f} % of the spread lies between batches at "
            f"{_names(cell for cell, _ in differing)}: intervals are wider for it.",
            remedy="More and smaller batches narrow them: a smaller --wave.",
        )


def _heavy_init(cells: Sequence[ColdCell]) -> Iterator[Notice]:
    ratios = [(cell, cell.hello_world) for cell in cells if cell.hello_world is not None]
    heavy = [
        (cell, hello) for cell, hello in ratios if hello.ratio is not None and hello.ratio >= MUCH_MORE_THAN_NOTHING
    ]
    if heavy and heavy[0][0].start_ms is not None:
        cell, hello = heavy[0]
        yield Notice(
            code="heavy-init",
            severity=Severity.INFO,
            message=f"A bare {hello.runtime} {hello.package_type.lower()} starts in {format_ms(hello.p50_ms)} at p50 "
            f"on {cell.architecture} (published, until {hello.as_of}); this one takes "
            f"{format_ms(heavy[0][0].start_ms.p50.point)}, {hello.ratio:.1f} times as long.",
            remedy=_where_to_look(hello.runtime),
        )


def _where_to_look(runtime: str) -> str:
    if runtime.startswith("python"):
        return "See what is imported with `python -X importtime`, and load what not every call needs on first use."
    if runtime.startswith("nodejs"):
        return "Bundle and minify the code, and import clients one by one instead of whole SDKs."
    if runtime.startswith(("java", "dotnet")):
        return "Try SnapStart, and fewer classes and reflection at start-up."
    return "Look at the size of the package and at what is loaded before the handler."


def _assumed_fraction(assumed: float | None) -> Iterator[Notice]:
    if assumed is not None:
        yield Notice(
            code="cold-fraction-assumed",
            severity=Severity.INFO,
            message=f"Costs assume that {format_share(assumed)} of calls meet a cold start: forcing them says "
            "nothing about how often they happen.",
            remedy="Give your own share with --cold-fraction, or read it from the logs with --from-logs.",
        )


def _prices_unknown(costs: Sequence[ColdEconomics]) -> Iterator[Notice]:
    without = [cost for cost in costs if cost.cold is not None and cost.provisioned is None]
    if without:
        places = ", ".join(f"{cost.memory_mb} MB {cost.architecture}" for cost in without)
        yield Notice(
            code="provisioned-price-unknown",
            severity=Severity.INFO,
            message=f"No break-even of provisioned concurrency for {places}: the price table holds no price of it "
            "for this region and architecture.",
        )


def _fewer_than_wanted(cells: Sequence[ColdCell], goal: ColdStartGoal) -> Iterator[Notice]:
    short = [cell for cell in cells if 0 < cell.counts.cold < goal.starts_per_cell]
    if short:
        fewest = min(cell.counts.cold for cell in short)
        yield Notice(
            code="fewer-cold-starts",
            severity=Severity.WARNING,
            message=f"{_names(short)} did not get the {goal.starts_per_cell} cold starts asked for (at least "
            f"{fewest}).",
            remedy="Resume the run with --resume, or raise its budget.",
        )


def _not_precise(cells: Sequence[ColdCell], goal: ColdStartGoal) -> Iterator[Notice]:
    wanted = goal.precision
    if wanted is None:
        return
    missed = [
        cell for cell in cells if cell.total_ms is not None and not precise(cell.total_ms.at(wanted.quantile), wanted)
    ]
    if missed:
        yield Notice(
            code="precision-not-reached",
            severity=Severity.WARNING,
            message=f"p{wanted.quantile * 100:g} is not known to within {format_share(wanted.half_width)} at "
            f"{_names(missed)}.",
            remedy="Raise the budget: the interval narrows with the square root of the cold starts.",
        )


def _one_occasion(cells: Sequence[ColdCell], seconds: float) -> Iterator[Notice]:
    if any(cell.counts.cold for cell in cells):
        yield Notice(
            code="one-occasion",
            severity=Severity.INFO,
            message=f"All of this was measured within {format_seconds(seconds)}: intervals speak of that time. From "
            "day to day medians of published inits move by 3 to 7 %.",
        )
