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


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One condition under which samples are comparable."""

    memory_mb: int
    architecture: Architecture


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
