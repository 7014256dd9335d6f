"""The options of a run, checked before anything starts: bad input never leaves anything behind."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tuner.errors import UsageError
from tuner.inputs.events import read_event
from tuner.inputs.memory import parse_memory
from tuner.inputs.payload_set import split_weight
from tuner.inputs.payloads import read_payload
from tuner.model import Architecture, SamplingKind, Strategy
from tuner.planning.candidates import candidate_sizes
from tuner.units import parse_percent, parse_seconds, parse_usd

LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.5, 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """``tuner run`` as it was typed."""

    function: str
    local: bool
    memory: str
    strategy: Strategy
    tolerance: str
    sampling: SamplingKind
    confidence: str
    weight: float
    samples: int
    wave: int | None
    payloads: tuple[str, ...]
    event: str | None
    event_settings: tuple[str, ...]
    event_repeats: tuple[str, ...]
    architectures: str | None
    clone: bool
    expected_errors: tuple[str, ...]
    before: str | None
    after: str | None
    max_invocations: int | None
    max_time: str | None
    resume: str | None
    seed: int
    max_cost: str
    yes: bool
    price_per_gb_s: str | None
    price_per_request: str | None
    region: str | None
    profile: str | None
    endpoint_url: str | None
    transport: str
    handler: str | None
    runtime: str | None
    simulation: Path | None
    timeout_s: int
    current_memory_mb: int
    environment: tuple[str, ...]
    json_output: bool
    report_files: tuple[Path, ...]
    charts: Path | None
    quiet: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInputs:
    """The same, as values."""

    memory_mb: tuple[int, ...]
    tolerance: float
    confidence: float
    payloads: tuple[PayloadSource, ...]
    architectures: tuple[Architecture, ...]
    max_cost_usd: Decimal
    max_time_s: float | None
    price_per_gb_s: Decimal | None
    price_per_request: Decimal | None
    environment: dict[str, str]


def read_inputs(options: RunOptions) -> RunInputs:
    """Raises a UsageError for the first option that cannot be used."""
    _check_combination(options)
    return RunInputs(
        memory_mb=_sizes(options),
        tolerance=parse_percent(options.tolerance),
        confidence=_confidence(options.confidence),
        payloads=_payload_sources(options),
        architectures=_architectures(options.architectures),
        max_cost_usd=parse_usd(options.max_cost),
        max_time_s=None if options.max_time is None else parse_seconds(options.max_time),
        price_per_gb_s=_optional_usd(options.price_per_gb_s),
        price_per_request=_optional_usd(options.price_per_request),
        environment=dict(_key_and_value(pair) for pair in options.environment),
    )


def reproduce_command(options: RunOptions) -> str:
    """The command line that repeats the run. Payload texts and values of variables stay out of it: reports are
    shared."""
    words = ["tuner", "run", options.function]
    words += ["--local"] if options.local else []
    words += ["--memory", options.memory, "--strategy", options.strategy.value, "--tolerance", options.tolerance]
    words += ["--sampling", options.sampling.value, "--seed", str(options.seed)]
    words += ["--confidence", options.confidence] if _adaptive(options) else ["-n", str(options.samples)]
    words += ["--weight", str(options.weight)] if options.strategy is Strategy.BALANCED else []
    optional = {
        "--wave": options.wave,
        "--event": options.event,
        "--arch": options.architectures,
        "--max-invocations": options.max_invocations,
        "--max-time": options.max_time,
        "--region": options.region,
        "--price-per-gb-s": options.price_per_gb_s,
        "--price-per-request": options.price_per_request,
        "--handler": options.handler,
        "--runtime": options.runtime,
        "--simulate": options.simulation,
    }
    for name, value in optional.items():
        words += [name, str(value)] if value is not None else []
    for text in options.payloads:
        words += ["--payload", _shown_payload(text)]
    for pair in options.event_settings:
        words += ["--set", f"{pair.partition('=')[0]}=..."]
    for pair in options.event_repeats:
        words += ["--repeat", pair]
    words += ["--clone"] if options.clone else []
    for name in options.expected_errors:
        words += ["--expect-error", name]
    if options.local:
        words += ["--timeout", str(options.timeout_s), "--current-memory", str(options.current_memory_mb)]
    for pair in options.environment:
        words += ["--env", f"{pair.partition('=')[0]}=..."]
    return shlex.join(words)


def _adaptive(options: RunOptions) -> bool:
    return options.sampling is SamplingKind.ADAPTIVE


def _sizes(options: RunOptions) -> tuple[int, ...]:
    selection = parse_memory(options.memory)
    return candidate_sizes(selection.ranges) if _adaptive(options) else selection.sizes


def _confidence(text: str) -> float:
    confidence = parse_percent(text)
    if not LEAST_CONFIDENCE <= confidence <= MOST_CONFIDENCE:
        raise UsageError(
            f"A confidence of {text} cannot be searched for.",
            hint=f"Use --confidence from {LEAST_CONFIDENCE:.0%} to {MOST_CONFIDENCE:.0%}.",
        )
    return confidence


def _check_combination(options: RunOptions) -> None:
    if options.event and options.payloads:
        raise UsageError("--event and --payload both say what to send.", hint="Leave one of them out.")
    if (options.event_settings or options.event_repeats) and not options.event:
        raise UsageError(
            "--set and --repeat change an event of the catalogue.", hint="Add --event, for example --event sqs/batch."
        )
    if options.local and (options.profile or options.endpoint_url):
        raise UsageError(
            "--local starts its own Lambda: --profile and --endpoint-url have no meaning beside it.",
            hint="Leave out --local, or the other two.",
        )
    if not options.local and (options.handler or options.runtime or options.environment or options.simulation):
        raise UsageError(
            "--handler, --runtime, --env and --simulate describe a local function.",
            hint="Add --local, or leave them out.",
        )


def _optional_usd(text: str | None) -> Decimal | None:
    return None if text is None else parse_usd(text)


def _key_and_value(pair: str) -> tuple[str, str]:
    key, separator, value = pair.partition("=")
    if not separator or not key:
        raise UsageError("An --env has no KEY=VALUE form.", hint="Write it like --env STAGE=test.")
    return key, value


@dataclass(frozen=True, slots=True)
class PayloadSource:
    """A payload that was read, or the name of an S3 object still to be read."""

    weight: float
    data: bytes | None
    s3_uri: str | None = None


def _payload_sources(options: RunOptions) -> tuple[PayloadSource, ...]:
    if options.event is not None:
        event = read_event(options.event, options.event_settings, options.event_repeats)
        return (PayloadSource(1.0, event),)
    return tuple(_payload_source(text) for text in options.payloads or ("{}",))


def _payload_source(text: str) -> PayloadSource:
    source, weight = split_weight(text)
    if source.startswith("s3://"):
        return PayloadSource(weight, None, source)
    return PayloadSource(weight, read_payload(source, stdin=sys.stdin.buffer.read))


def _architectures(text: str | None) -> tuple[Architecture, ...]:
    try:
        return tuple(Architecture(name.strip()) for name in text.split(",")) if text else ()
    except ValueError:
        raise UsageError(f"{text!r} is no architecture.", hint="Use --arch x86_64, arm64 or x86_64,arm64.") from None


def _shown_payload(payload: str) -> str:
    """A file's name may be shown, JSON text may not."""
    source, _ = split_weight(payload)
    return payload if source == "-" or source.startswith("s3://") or Path(source).is_file() else "..."
