"""Every value that travels through tuner, as frozen types. The first file to open.

The data flows one way, and each stage is one of the types below::

    arguments -> RunRequest + FunctionSnapshot -> Plan -> (engine) -> Sample rows
              -> statistics -> CurvePoint, CurveFit, Recommendation -> Report -> renderers

Names carry their units: ``_ms`` milliseconds, ``_s`` seconds, ``_mb`` memory as AWS counts it (1 MB = 2**20
bytes), ``_usd`` US dollars. ``None`` always means "not known" or "does not apply" and is never replaced by 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

SCHEMA_VERSION = 1

FULL_VCPU_MB = 1769
"""Memory at which a function has one full vCPU (AWS Lambda developer guide, "Configure memory")."""


class Architecture(StrEnum):
    X86_64 = "x86_64"
    ARM64 = "arm64"


class EngineKind(StrEnum):
    """Where invocations ran. Results of the embedded Lambda are called local, always."""

    AWS = "aws"
    LOCAL = "local"


class Strategy(StrEnum):
    COST = "cost"
    SPEED = "speed"
    BALANCED = "balanced"
    """Cost and duration weighted, both as ratios: no range of tested sizes enters."""
    KNEE = "knee"
    """Where the trade of cost for duration turns: furthest from the line between the cheapest and the fastest."""


class SamplingKind(StrEnum):
    ADAPTIVE = "adaptive"
    """Each block is chosen from what was measured so far."""
    FIXED = "fixed"


class Statistic(StrEnum):
    """What of a duration a limit speaks of."""

    MEAN = "mean"
    P50 = "p50"
    P95 = "p95"
    P99 = "p99"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the reader must know about a result: what happened, and what to do about it.

    A value that travels with the result, so that no output can lose it. ``code`` is a stable slug.
    """

    code: str
    severity: Severity
    message: str
    remedy: str | None = None


# --- what is measured -------------------------------------------------------------------------------------


Variant = Literal["", "base", "head"]
"""Which side of a comparison; empty where there is nothing to compare."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One condition under which samples are comparable."""

    memory_mb: int
    architecture: Architecture
    variant: Variant = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationReport:
    """What one REPORT line (or ``platform.report`` event) of a log tail says. Absent fields are None."""

    request_id: str | None = None
    duration_ms: float | None = None
    billed_duration_ms: float | None = None
    memory_size_mb: int | None = None
    max_memory_used_mb: int | None = None
    init_duration_ms: float | None = None
    restore_duration_ms: float | None = None
    billed_restore_duration_ms: float | None = None
    status: str | None = None
    error_type: str | None = None
    xray_trace_id: str | None = None
    record: Literal["REPORT", "INIT_REPORT", "RESTORE_REPORT"] = "REPORT"
    init_failed: bool = False
    """Another record of the tail says that an init inside this invocation failed: its handler never ran."""


class Outcome(StrEnum):
    """How one invocation ended, seen from the function."""

    OK = "ok"
    FUNCTION_ERROR = "function_error"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    INIT_ERROR = "init_error"
    """The environment could not start: import error, missing handler, not portable."""
    LOST = "lost"
    """No usable answer came: it may have run, and may be billed."""
    UNREPORTED = "unreported"
    """The function answered but no REPORT line could be read: nothing is known about its duration."""


NO_EVIDENCE = frozenset({Outcome.LOST, Outcome.UNREPORTED})
"""Outcomes that say nothing about the function: neither a duration nor a failure of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The record of one invocation: one row of ``samples.jsonl``, written when the answer arrives.

    ``client_ms`` is our own wall clock around the call and never enters a duration or a cost.
    ``wave`` numbers the set of invocations that were in flight together on one version; ``environment`` names
    the execution environment where somebody told us (log stream), else None.
    """

    sequence: int
    block: int
    wave: int
    cell: Cell
    version: str
    started_at: str
    client_ms: float
    outcome: Outcome
    request_id: str | None = None
    duration_ms: float | None = None
    billed_ms: float | None = None
    init_ms: float | None = None
    restore_ms: float | None = None
    max_memory_used_mb: int | None = None
    environment: str | None = None
    disturbed: bool | None = None
    """Whether the machine behind a local run kept the invocation waiting for a CPU; None where nobody knows."""
    error_type: str | None = None
    error_message: str | None = None

    @property
    def cold(self) -> bool:
        """A cold start shows an init or a restore; everything else counts as warm."""
        return self.init_ms is not None or self.restore_ms is not None


# --- the function -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionTarget:
    """A function as the user named it: the parts of a Lambda identifier that were given."""

    name: str
    region: str | None = None
    account: str | None = None
    partition: str | None = None
    qualifier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSnapshot:
    """The function before anything was touched. Environment variables are never part of it."""

    name: str
    arn: str
    region: str
    runtime: str | None
    package_type: str
    architecture: Architecture
    memory_mb: int
    timeout_s: int
    code_sha256: str
    revision_id: str | None
    """None where the service keeps no revisions: then it cannot guard a change either."""
    state: str | None
    last_update_status: str | None
    versions: tuple[str, ...]
    """Published version numbers that exist already; none of them is ours to delete."""
    snap_start: bool = False
    managed_instances: bool = False
    durable: bool = False
    qualifier: str | None = None
    """The version or alias the user named; None or ``$LATEST`` for the function itself."""
    reserved_concurrency: int | None = None
    tuner_runs: tuple[str, ...] = ()
    """Runs of tuner, here or on another machine, whose published versions still exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimits:
    concurrent_executions: int
    unreserved_concurrent_executions: int


# --- the plan ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The rate that turns use into cost, with where it came from. Money is exact: Decimal."""

    region: str
    architecture: Architecture
    usd_per_gb_s: Decimal
    usd_per_request: Decimal
    as_of: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationLimit:
    """The longest that a warm call may take: a size beyond it is no candidate."""

    statistic: Statistic
    limit_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How narrow the interval of a quantile must become: half its width is at most this share of the quantile."""

    quantile: float
    half_width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStartGoal:
    """What a cold-start study collects at every cell.

    With a ``precision`` it goes on beyond ``starts_per_cell`` until every cell has it, or the budget ends.
    """

    starts_per_cell: int = 200
    warm_per_batch: int = 4
    """Calls made again on the environments of a batch, for the warm duration beside the cold one; 0 for none."""
    precision: Precision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What the user asked for, already parsed and checked."""

    function: str
    engine: EngineKind
    memory_mb: tuple[int, ...]
    strategy: Strategy = Strategy.COST
    tolerance: float = 0.05
    samples_per_size: int = 20
    """Warm samples wanted at each size; the cold ones come on top."""
    wave_size: int | None = None
    max_cost_usd: Decimal = Decimal("0.10")
    max_invocations: int | None = None
    max_time_s: float | None = None
    architectures: tuple[Architecture, ...] = ()
    """Empty: the function's own."""
    clone: bool = False
    """Measure a temporary copy, so that the function itself is never touched."""
    payload_sha256: str = ""
    expected_errors: tuple[str, ...] = ()
    """Error types with which an invocation still counts as a success."""
    seed: int = 1
    sampling: SamplingKind = SamplingKind.FIXED
    confidence: float = 0.9
    """Probability at which an adaptive run stops."""
    confirm: bool = False
    """Measure winner, rival and current size once more, on environments that took no part in the choice."""
    weight: float = 0.5
    """Share of the cost in the strategy balanced."""
    max_duration: DurationLimit | None = None
    max_cost_usd_per_million: float | None = None
    cold_fraction: float | None = None
    """Share of calls that meet a cold start; None counts as 0 and is said."""
    cold_starts: ColdStartGoal | None = None
    """Set for a cold-start study, whose samples are first calls on fresh environments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendRange:
    low_usd: Decimal
    high_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Invocations to be in flight together on the version of one cell."""

    cell: Cell
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A randomised round over cells: its waves in the order in which they run."""

    number: int
    waves: tuple[Wave, ...]
    fresh: bool = False
    """Run on environments that have served nothing yet: on versions published for this block."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of this block, each once, smallest memory first."""
        return tuple(sorted({wave.cell for wave in self.waves}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The sampling policy wants no further block."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A temporary copy of the function, to be made for one architecture and deleted at the end."""

    name: str
    architecture: Architecture
    variant: Variant = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One side of a comparison: the function, version or alias that is invoked for it.

    An arm is invoked exactly as it is, and nothing of it is changed, unless it is ``disposable`` or the plan has a
    copy for it: then versions are published from it, with the memory sizes of the plan and as often as fresh
    environments are wanted.
    """

    variant: Variant
    function: FunctionSnapshot
    disposable: bool = False
    """The function was made for this run and is thrown away with it: a folder on the embedded Lambda."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run will do, as pure data: written to ``plan.json`` before the first mutation."""

    run_id: str
    request: RunRequest
    function: FunctionSnapshot
    cells: tuple[Cell, ...]
    """The conditions that may be measured; a fixed plan measures all of them."""
    prices: tuple[Price, ...]
    wave_size: int
    max_in_flight: int
    """Invocations that may run at once, over all waves."""
    expected_invocations: int
    expected_spend: SpendRange
    copies: tuple[Copy, ...] = ()
    """Architectures without a copy are measured on versions of the function itself."""
    arms: tuple[Arm, ...] = ()
    """What is compared, one arm a variant; empty for a run, whose cells have no variant."""
    notices: tuple[Notice, ...] = ()


# --- the results ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its interval, sample size and method. ``low`` and ``high`` are None where no honest bound
    exists; ``method`` then says why and how many samples it would take."""

    point: float
    low: float | None
    high: float | None
    n: int
    method: str

    def __post_init__(self) -> None:
        bounds = [value for value in (self.point, self.low, self.high) if value is not None]
        if not all(math.isfinite(value) for value in bounds):
            raise ValueError(f"an estimate must be finite: {bounds}")
        if (self.low is None) != (self.high is None):
            raise ValueError("an estimate has both bounds or none")

    @property
    def estimable(self) -> bool:
        return self.low is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Duration-like quantity in ms: what bills follow (mean) and what people feel (percentiles)."""

    mean: Estimate
    p50: Estimate
    p95: Estimate
    p99: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanOnly:
    """A quantity of which only the mean matters: bills follow the mean of the billed duration."""

    mean: Estimate


class CurveStatus(StrEnum):
    MEASURED = "measured"
    PREDICTED = "predicted"
    OUT_OF_MEMORY = "out_of_memory"
    TIMEOUT = "timeout"
    SKIPPED = "skipped"
    FAILED = "failed"
    """Every invocation at this size failed for another reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """What is known about one cell. Durations are of warm invocations; cold ones are kept apart in init_ms."""

    memory_mb: int
    architecture: Architecture
    n: int
    """Warm successful samples behind the durations."""
    environments: int | None
    """Execution environments behind them; None where nothing told how many there were."""
    errors: int
    duration_ms: Distribution | None
    billed_ms: MeanOnly | None
    init_ms: Distribution | None
    cost_usd_per_million: Estimate | None
    max_memory_used_mb: int | None
    status: CurveStatus

    @property
    def cell(self) -> Cell:
        return Cell(self.memory_mb, self.architecture)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveFit:
    """Duration against memory as T(m) = a + b / min(m, cap)**p, fitted on the log scale.

    ``residual_percent`` is the typical distance of the measured means from the curve: when it is large the curve
    does not describe the function.
    """

    architecture: Architecture
    a_ms: float
    b: float
    p: float
    cap_mb: int
    n: int
    residual_percent: float
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersusCurrent:
    """Ratios recommended / current: below 1 is cheaper or faster than what runs today."""

    cost_ratio: Estimate | None
    duration_ratio: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The proposed size. ``decided`` is False where the data cannot tell the winner from its rivals."""

    memory_mb: int
    architecture: Architecture
    strategy: Strategy
    tolerance: float
    """Share by which the objective of the strategy may miss its best."""
    confidence: float | None
    """P(objective of the proposed size is within the tolerance of the best), from the samples' own uncertainty.
    The objective is the cost for the strategy cost, the mean duration for speed."""
    tied: tuple[Cell, ...]
    """Sizes that the data cannot tell from the proposed one under this strategy."""
    pareto: tuple[Cell, ...]
    """Sizes that no other size beats in both cost and duration, by point estimates."""
    decided: bool
    versus_current: VersusCurrent | None
    rationale: str
    pareto_probability: tuple[float, ...] = ()
    """P(no measured size beats it in both), for each of ``pareto``; empty where only points are known."""
    confirmed: bool = False
    """The figures of the proposed size come from samples that took no part in choosing it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What the function seems to do with its time, as far as the data allow."""

    architecture: Architecture
    cpu_ms: Estimate | None
    """CPU work in vCPU-milliseconds of a warm call."""
    waiting_ms: Estimate | None
    """Time that memory does not shorten."""
    speed_up_above_one_vcpu: Estimate | None
    """Duration at 1,769 MB over that at the largest measured size: the threads that were of use."""
    nothing_gained_above_mb: int | None
    """Smallest measured size that no larger one beats by 5 %; None where more memory still helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What the run used. On the embedded Lambda nothing is billed: ``usd`` is what the calls would have cost."""

    invocations: int
    cold_invocations: int
    usd: Decimal
    estimated_usd: Decimal
    """The upper end of what was announced before the first invocation."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentConfiguration:
    memory_mb: int
    architecture: Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    function: str
    region: str
    engine: EngineKind
    runtime: str | None
    package_type: str
    current: CurrentConfiguration
    code_sha256: str | None = None
    """Of the code that was measured, as Lambda states it: a recommendation is for this code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """How the numbers came about: enough to judge them and to repeat them."""

    command: str
    sampling: str
    wave_size: int
    blocks: int
    payload_sha256: str
    prices: tuple[Price, ...]
    host: str | None = None
    """The machine behind a local run; None on AWS."""
    throttle: str | None = None
    """How the embedded Lambda limited CPU; None on AWS."""
    cold_fraction: float | None = None
    """Share of calls that costs and objectives count as cold; None where none was given, and none is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitCheck:
    """The limits that sizes had to keep, held against one measured size."""

    memory_mb: int
    architecture: Architecture
    verdicts: tuple[BudgetVerdict, ...]

    @property
    def cell(self) -> Cell:
        return Cell(self.memory_mb, self.architecture)

    @property
    def status(self) -> BudgetStatus:
        """The worst of them: a size is a candidate where all of them are met."""
        order = (BudgetStatus.BREACHED, BudgetStatus.UNKNOWN, BudgetStatus.OPEN, BudgetStatus.MET)
        return min((verdict.status for verdict in self.verdicts), key=order.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that every renderer shows: the content of ``report.json``."""

    schema_version: int
    kind: Literal["run"]
    tool_version: str
    created_at: str
    run_id: str
    seed: int
    target: Target
    curve: tuple[CurvePoint, ...]
    fits: tuple[CurveFit, ...]
    recommendation: Recommendation | None
    spend: Spend
    measurement: Measurement
    notices: tuple[Notice, ...]
    samples: tuple[Sample, ...]
    workloads: tuple[Workload, ...] = ()
    limits: tuple[LimitCheck, ...] = ()
    """For every measured size, where the run had limits."""


# --- cold starts ------------------------------------------------------------------------------------------


class ColdSource(StrEnum):
    """Where the cold starts of a report come from."""

    FORCED = "forced"
    """First calls on versions published for it: every cold start was provoked, none was waited for."""
    LOGS = "logs"
    """Cold starts that production met; their share is real, their conditions are nobody's choice."""


class ColdQuantity(StrEnum):
    """What of a cold start is summarised. A caller waits for the total."""

    START = "start"
    """Init duration, or restore duration with SnapStart."""
    FIRST_DURATION = "first_duration"
    """Duration of the handler in the invocation that met the cold start."""
    TOTAL = "total"
    """Start plus first duration."""


class StartKind(StrEnum):
    """How environments came up: two quantities that are never pooled."""

    INIT = "init"
    RESTORE = "restore"


class InitBilling(StrEnum):
    """Whether the billed duration contains the init, by what the lines show; AWS changed it on 2025-08-01."""

    BILLED = "billed"
    NOT_BILLED = "not_billed"
    MIXED = "mixed"
    UNKNOWN = "unknown"
    """No line tells: init below the rounding, or no billed duration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdCounts:
    """What became of a cell's invocations. Only ``cold`` enters cold-start figures, only ``warm`` warm ones."""

    cold: int
    initialised_ahead: int
    """First calls on a fresh version without an init: Lambda had initialised the environment before."""
    reused: int
    """First calls that came late, onto an environment that another call had started and left."""
    init_timeouts: int
    """First calls whose init ran into its 10 s and was done again inside the invocation, where its time hides."""
    warm: int
    after_failure: int
    """Calls on a version on which one had crashed before: an init may hide in their duration."""
    failed: int
    unreported: int
    """No answer, or one without a REPORT line."""
    batches: int
    """Versions (or periods of a log) that the cold starts come from: what intervals resample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """Two groups within one distribution, told apart by ``split_ms``: neither centre is the typical value."""

    split_ms: float
    low_ms: float
    """Median below the split."""
    high_ms: float
    """Median above it."""
    share_high: float
    p_value: float
    """Of seeing such a gap in a distribution with one mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdDistribution:
    """A cold-start quantity in ms. Intervals account for cold starts of one batch resembling each other."""

    n: int
    mean: Estimate
    p50: Estimate
    p90: Estimate
    p95: Estimate
    p99: Estimate
    max_ms: float
    batch_icc: float | None
    """Share of the spread that lies between batches; None where there are too few batches to tell."""
    modes: Modes | None
    """Set where one mode does not describe the values."""

    def at(self, quantile: float) -> Estimate:
        """The estimate of one of the four quantiles; KeyError for another."""
        return {0.5: self.p50, 0.9: self.p90, 0.95: self.p95, 0.99: self.p99}[quantile]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloWorld:
    """Published init durations of a function that does nothing, and how this one compares.

    ``ratio`` is this p50 over that one: None where there is no p50 here.
    """

    runtime: str
    package_type: str
    architecture: Architecture
    memory_mb: int
    n: int
    p50_ms: float
    p99_ms: float
    ratio: float | None
    as_of: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdCell:
    """The cold starts of one cell."""

    memory_mb: int
    architecture: Architecture
    counts: ColdCounts
    start_kind: StartKind | None
    """What ``start_ms`` is; None where no cold start succeeded."""
    start_ms: ColdDistribution | None
    first_duration_ms: ColdDistribution | None
    total_ms: ColdDistribution | None
    warm_duration_ms: Distribution | None
    billed_cold_ms: Estimate | None
    """Mean billed duration of an invocation with a cold start."""
    billed_warm_ms: Estimate | None
    init_billing: InitBilling
    max_memory_used_mb: int | None
    hello_world: HelloWorld | None
    cold_fraction: Estimate | None = None
    """Share of the invocations in a log that met a cold start; None where they were forced."""

    @property
    def cell(self) -> Cell:
        return Cell(self.memory_mb, self.architecture)

    def distribution(self, quantity: ColdQuantity) -> ColdDistribution | None:
        return {
            ColdQuantity.START: self.start_ms,
            ColdQuantity.FIRST_DURATION: self.first_duration_ms,
            ColdQuantity.TOTAL: self.total_ms,
        }[quantity]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdDifference:
    """``other`` minus ``base`` at one quantile: two architectures at one size, or two sizes of one architecture."""

    base: Cell
    other: Cell
    quantity: ColdQuantity
    quantile: float
    difference_ms: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdCost:
    """What cold starts add to the bill, with the init billed at the configured memory as the lines show it."""

    usd_each: Estimate
    """A cold invocation minus a warm one."""
    cold_fraction: float
    usd_per_million_calls: Estimate
    """``cold_fraction`` of a million calls being cold."""
    init_usd_per_million_cold: float | None
    """The part of a million cold starts that is the init itself; None where it is not billed or not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedConcurrency:
    """One environment kept initialised, against paying for it on demand. Rates are per GB-second of memory."""

    usd_per_hour: float
    """For keeping it, before any call."""
    usd_per_call: float
    """For the warm duration of one call on it, request included."""
    on_demand_usd_per_call: float
    """The same call on demand, with its share of cold starts."""
    break_even_calls_per_hour: float | None
    """From here on it is the cheaper way; None where it never is, because a call on it costs as much."""
    break_even_utilisation: float | None
    """The same as a share of the hour that the environment is busy; above 1 one environment cannot reach it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapStart:
    """SnapStart's own price at this memory size; nothing for Java."""

    free: bool
    cache_usd_per_month: float
    """For each published version, as long as it exists."""
    restore_usd_per_million_cold: float
    init_usd_per_million_cold: float | None
    """What the init costs today, which a restore replaces; None where it is not billed or not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdEconomics:
    """What cold starts of one cell cost and what the ways around them would, computed from what was measured.

    A part is None where a measurement or a price is missing; a notice of the report says which.
    """

    memory_mb: int
    architecture: Architecture
    cold: ColdCost | None
    provisioned: ProvisionedConcurrency | None
    snap_start: SnapStart | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleGaps:
    """Time without any invocation before a cold start and before a warm one, where a log tells."""

    n_cold: int
    before_cold_p50_s: float | None
    n_warm: int
    before_warm_p50_s: float | None
    before_warm_max_s: float | None
    """The longest that an environment was seen to survive idle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFacts:
    """What only a log of production tells, at the function's own configuration."""

    since: str
    until: str
    log_group: str
    invocations: int
    memory_headroom_mb: int | None
    """Configured memory less the most that any invocation used."""
    timeout_headroom_ms: float | None
    """Timeout less the longest duration."""
    idle: IdleGaps | None = None
    bytes_scanned: int | None = None
    scan_usd: Decimal | None = None
    rows_dropped: int = 0
    """Rows that no numbers could be read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStartReport:
    """Everything about cold starts that every renderer shows: ``report.json`` of a study or of a log."""

    schema_version: int
    kind: Literal["cold-start"]
    tool_version: str
    created_at: str
    run_id: str
    seed: int
    target: Target
    source: ColdSource
    cells: tuple[ColdCell, ...]
    differences: tuple[ColdDifference, ...]
    economics: tuple[ColdEconomics, ...]
    spend: Spend
    measurement: Measurement
    notices: tuple[Notice, ...]
    samples: tuple[Sample, ...]
    """All invocations that were made; of a log only those with a cold start and some of the warm ones."""
    logs: LogFacts | None = None


# --- the gate: head against base --------------------------------------------------------------------------


class VerdictStatus(StrEnum):
    """What a gate says of one function at one memory size, and of a whole report (then the worst of them)."""

    PASS = "pass"  # noqa: S105
    """Shown: head is worse than base by less than the margin."""
    IMPROVEMENT = "improvement"
    """Shown: head is better than base by more than the margin."""
    REGRESSION = "regression"
    """Shown, and shown again on other environments: head is worse than base by more than the margin."""
    INCONCLUSIVE = "inconclusive"
    """Neither was shown with the calls allowed."""
    BUDGET = "budget"
    """An absolute limit is surely exceeded by head."""
    INVALID = "invalid"
    """What was measured cannot be compared: errors, lost calls, no calls, different conditions."""


class Level(StrEnum):
    """What follows from a bad finding."""

    OFF = "off"
    """Shown, never judged."""
    WARN = "warn"
    """Judged; a finding is a notice."""
    ERROR = "error"
    """Judged; a finding decides the verdict, and the measurement goes on until there is one."""


class Metric(StrEnum):
    """What base and head are compared by. Durations are of warm calls."""

    DURATION = "duration"
    """Typical duration: the geometric mean. If every call takes r times as long, its ratio is r."""
    BILLED_DURATION = "billed_duration"
    """Arithmetic mean of the billed duration: what bills follow, outliers included."""
    COST = "cost"
    """Mean cost of a warm call, request price included."""
    P50 = "p50"
    P95 = "p95"
    """Only from 200 calls and 20 environments on each side."""
    INIT = "init"
    """Typical init duration of cold starts: the geometric mean."""
    MAX_MEMORY = "max_memory"
    """Mean of what the calls report as their most memory used."""
    ERRORS = "errors"
    """Share of calls that failed. Never compared as a ratio: more than allowed makes a measurement invalid."""


Unit = Literal["ms", "usd_per_million", "mb", "share"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Somebody has seen a finding and accepts it for a while: it is still shown and no longer fails the gate."""

    reason: str
    expires: str
    """ISO date; the last day on which it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRule:
    """How one metric is judged."""

    metric: Metric
    level: Level
    margin: float | None = None
    """Share by which head may be worse; None takes the policy's."""
    acknowledgement: Acknowledgement | None = None


class BudgetQuantity(StrEnum):
    """What an absolute limit can speak of: warm durations in ms, cost in USD, init in ms, memory in MB, a share."""

    MEAN = "mean"
    P50 = "p50"
    P95 = "p95"
    P99 = "p99"
    COST_PER_MILLION = "cost_per_million"
    INIT_P50 = "init_p50"
    INIT_P95 = "init_p95"
    MAX_MEMORY_USED = "max_memory_used"
    ERRORS = "errors"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLimit:
    """An absolute limit for head, as in ``tuner.toml``: ``p95 = "<= 250ms"``."""

    quantity: BudgetQuantity
    at_most: float
    """In the unit of the quantity: ms, USD per million calls, MB, or a share of calls."""
    level: Level = Level.ERROR
    acknowledgement: Acknowledgement | None = None


DEFAULT_RULES = (
    MetricRule(metric=Metric.DURATION, level=Level.ERROR),
    MetricRule(metric=Metric.BILLED_DURATION, level=Level.WARN),
    MetricRule(metric=Metric.COST, level=Level.OFF),
    MetricRule(metric=Metric.P50, level=Level.OFF),
    MetricRule(metric=Metric.P95, level=Level.OFF),
    MetricRule(metric=Metric.INIT, level=Level.WARN),
    MetricRule(metric=Metric.MAX_MEMORY, level=Level.WARN),
    MetricRule(metric=Metric.ERRORS, level=Level.ERROR),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """When a gate is green, when it is red, and how much it may measure to find out."""

    margin: float = 0.05
    """Share by which head may be worse than base."""
    alpha: float = 0.05
    """At most this share of gates is red where head is exactly at the margin, and at most this share green."""
    environments: tuple[int, ...] = (10, 20, 30, 40, 60)
    """Execution environments on each side at the looks: after each of them the gate may decide."""
    warm_calls: int = 4
    """Warm calls on each environment, after its cold one."""
    confirmation_environments: int = 20
    """Further environments on each side that have to show a regression again."""
    max_calls: int = 400
    """Calls on each side, cold ones and the confirmation included."""
    most_errors: float = 0.01
    """Share of failed calls on one side above which nothing is compared."""
    rules: tuple[MetricRule, ...] = DEFAULT_RULES
    budgets: tuple[BudgetLimit, ...] = ()


class MetricStatus(StrEnum):
    PASS = "pass"  # noqa: S105
    IMPROVEMENT = "improvement"
    REGRESSION = "regression"
    INCONCLUSIVE = "inconclusive"
    UNKNOWN = "unknown"
    """No interval can be given, and ``reason`` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What it would take to decide what was left open: further calls on both sides together, cold ones included."""

    calls: int
    usd: float | None
    """None where no call came back with a billed duration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricVerdict:
    """One metric of head against base."""

    metric: Metric
    level: Level
    unit: Unit
    base: Estimate | None
    head: Estimate | None
    ratio: Estimate | None
    """head / base, with the interval at this look of the gate: it holds however often was looked before."""
    margin: float
    status: MetricStatus
    reason: str
    """One sentence: why this status."""
    confirmed: bool | None = None
    """Whether a regression was seen again in the confirmation; None where there was nothing to confirm."""
    minimum_detectable: float | None = None
    """Smallest true slow-down (a share) that these calls would have called a regression with probability 0.8."""
    resolve: Effort | None = None
    """For an inconclusive metric, to decide it if the ratio is what it seems; None where no number of calls would,
    because the ratio seems to lie on the margin itself."""
    acknowledged: Acknowledgement | None = None
    """Set where a finding is excused today."""


class BudgetStatus(StrEnum):
    MET = "met"
    """The bound of the estimate is within the limit."""
    BREACHED = "breached"
    """The bound of the estimate is beyond the limit."""
    OPEN = "open"
    """The limit is inside the interval."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetVerdict:
    """One absolute limit against what head showed."""

    limit: BudgetLimit
    unit: Unit
    estimate: Estimate | None
    """Of head, with the interval that was held against the limit."""
    status: BudgetStatus
    reason: str
    acknowledged: Acknowledgement | None = None


class Confirmation(StrEnum):
    NONE = "none"
    """Nothing was red, so nothing was confirmed."""
    FRESH = "fresh"
    """On environments that had served nothing before."""
    REUSED = "reused"
    """On a side that is invoked as it is, Lambda may have used the same environments again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the gate says of one function at one memory size."""

    status: VerdictStatus
    reasons: tuple[str, ...]
    """Why, most important first; never empty."""
    metrics: tuple[MetricVerdict, ...]
    budgets: tuple[BudgetVerdict, ...]
    environments_base: int | None
    """Execution environments behind the warm calls; None where nothing told how many there were."""
    environments_head: int | None
    calls_base: int
    """All calls, cold and failed ones included."""
    calls_head: int
    look: int
    """Number of the look at which it was decided, from 1; 0 where nothing could be looked at."""
    confirmation: Confirmation


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFacts:
    """One side of a comparison, as it was invoked."""

    variant: Variant
    function: str
    qualifier: str | None
    code_sha256: str
    runtime: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Base and head of one function at one memory size. Samples tell the sides apart by the variant of their cell."""

    function: str
    memory_mb: int
    architecture: Architecture
    base: ArmFacts
    head: ArmFacts
    verdict: Verdict
    samples: tuple[Sample, ...]
    uncontrolled: bool = False
    """Base was not measured now but read from a stored report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTrials:
    """How the gate decided when it was repeated on resampled environments of both sides, head slowed on purpose."""

    ratio: float
    """True head / base of the trials: 1 is twice the same code, 1 + margin the boundary."""
    trials: int
    green: int
    """Verdict pass or improvement."""
    red: int
    inconclusive: int
    calls_per_side: float
    """Mean, cold calls included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """Everything that every renderer of a gate shows: ``report.json`` of ``tuner gate``."""

    schema_version: int
    kind: Literal["gate"]
    tool_version: str
    created_at: str
    run_id: str
    seed: int
    engine: EngineKind
    region: str
    policy: GatePolicy
    status: VerdictStatus
    """The worst of the comparisons."""
    comparisons: tuple[Comparison, ...]
    spend: Spend
    measurement: Measurement
    notices: tuple[Notice, ...]
    self_test: tuple[GateTrials, ...] = ()
    """Of ``--self-test``; empty without."""
