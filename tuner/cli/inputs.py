"""The options of a measurement, checked before anything starts: bad input never leaves anything behind.

What the measuring commands have in common comes in groups: the function and where it is, what is sent to it, what
may be spent, and where the result goes. Each group knows how it is read and how it is typed again.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tuner.errors import UsageError
from tuner.inputs.events import event_notices, read_event
from tuner.inputs.payload_set import split_weight
from tuner.inputs.payloads import read_payload
from tuner.model import Architecture, Notice
from tuner.units import parse_percent, parse_seconds, parse_usd

SHARED = "shared:"
"""In front of the name of a test event that the Lambda console shares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionOptions:
    """The function and how it is reached, as it was typed."""

    function: str
    local: bool
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

    def check(self) -> None:
        """UsageError for options that contradict each other."""
        if self.local and (self.profile or self.endpoint_url):
            raise UsageError(
                "--local starts its own Lambda: --profile and --endpoint-url have no meaning beside it.",
                hint="Leave out --local, or the other two.",
            )
        if not self.local and (self.handler or self.runtime or self.environment or self.simulation):
            raise UsageError(
                "--handler, --runtime, --env and --simulate describe a local function.",
                hint="Add --local, or leave them out.",
            )

    @property
    def variables(self) -> dict[str, str]:
        return dict(_key_and_value(pair) for pair in self.environment)

    def words(self) -> list[str]:
        words = ["--local"] if self.local else []
        words += flags(
            {
                "--region": self.region,
                "--handler": self.handler,
                "--runtime": self.runtime,
                "--simulate": self.simulation,
            }
        )
        if self.local:
            words += ["--timeout", str(self.timeout_s), "--current-memory", str(self.current_memory_mb)]
        for pair in self.environment:
            words += ["--env", f"{pair.partition('=')[0]}=..."]
        return words


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingOptions:
    """What every invocation is sent, and what is done around it."""

    payloads: tuple[str, ...]
    event: str | None
    event_settings: tuple[str, ...]
    event_repeats: tuple[str, ...]
    expected_errors: tuple[str, ...]
    before: str | None
    after: str | None

    def check(self) -> None:
        """UsageError for options that contradict each other."""
        if self.event and self.payloads:
            raise UsageError("--event and --payload both say what to send.", hint="Leave one of them out.")
        if (self.event_settings or self.event_repeats) and not self.event:
            raise UsageError(
                "--set and --repeat change an event of the catalogue.",
                hint="Add --event, for example --event sqs/batch.",
            )
        if self.shared_event is not None and (self.event_settings or self.event_repeats):
            raise UsageError(
                "--set and --repeat change events of the catalogue, not shared test events.",
                hint="Save the test event with `tuner event new`, edit the file, and give it with --payload.",
            )

    @property
    def shared_event(self) -> str | None:
        """The name of a shared test event of the function's, as ``--event shared:NAME`` asks for it."""
        return self.event.removeprefix(SHARED) if self.event and self.event.startswith(SHARED) else None

    def sources(self) -> tuple[PayloadSource, ...]:
        """Raises a UsageError for the first payload that cannot be read."""
        if self.shared_event is not None:
            return (PayloadSource(1.0, None, shared_event=self.shared_event),)
        if self.event is not None:
            return (PayloadSource(1.0, read_event(self.event, self.event_settings, self.event_repeats)),)
        return tuple(_payload_source(text) for text in self.payloads or ("{}",))

    def notices(self) -> tuple[Notice, ...]:
        return event_notices(self.event) if self.event and self.shared_event is None else ()

    def words(self) -> list[str]:
        words = flags({"--event": self.event})
        for text in self.payloads:
            words += ["--payload", _shown_payload(text)]
        for pair in self.event_settings:
            words += ["--set", f"{pair.partition('=')[0]}=..."]
        for pair in self.event_repeats:
            words += ["--repeat", pair]
        for name in self.expected_errors:
            words += ["--expect-error", name]
        return words


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendOptions:
    """What may be spent, and at what prices it is counted."""

    max_cost: str
    max_invocations: int | None
    max_time: str | None
    yes: bool
    price_per_gb_s: str | None
    price_per_request: str | None

    def values(self) -> Allowance:
        """Raises a UsageError for the first amount that is none."""
        return Allowance(
            max_cost_usd=parse_usd(self.max_cost),
            max_invocations=self.max_invocations,
            max_time_s=None if self.max_time is None else parse_seconds(self.max_time),
            usd_per_gb_s=_optional_usd(self.price_per_gb_s),
            usd_per_request=_optional_usd(self.price_per_request),
        )

    def words(self) -> list[str]:
        return flags(
            {
                "--max-invocations": self.max_invocations,
                "--max-time": self.max_time,
                "--price-per-gb-s": self.price_per_gb_s,
                "--price-per-request": self.price_per_request,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """Where the result goes."""

    json_output: bool
    report_files: tuple[Path, ...]
    charts: Path | None
    quiet: bool
    verbose: bool = False

    def check(self) -> None:
        """UsageError for options that contradict each other."""
        if self.quiet and self.verbose:
            raise UsageError(
                "--quiet wants no progress and --verbose a line for each invocation.", hint="Leave one of them out."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuringOptions:
    """What every measuring command can be told; each has more of its own."""

    where: FunctionOptions
    send: SendingOptions
    spend: SpendOptions
    output: OutputOptions
    clone: bool
    wave: int | None
    seed: int

    def check_groups(self) -> None:
        """UsageError for options that contradict each other."""
        self.send.check()
        self.where.check()
        self.output.check()

    def reproduced(self, command: str, *words: str) -> str:
        """``command`` with its own ``words``, then those of the groups. Payload texts and values of variables stay
        out of it."""
        groups = (*self.where.words(), *self.send.words(), *self.spend.words())
        return command_line("tuner", command, *words, *groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What may be spent. ``usd_per_...`` are prices of the user's own, None for those of the table."""

    max_cost_usd: Decimal
    max_invocations: int | None
    max_time_s: float | None
    usd_per_gb_s: Decimal | None
    usd_per_request: Decimal | None


@dataclass(frozen=True, slots=True)
class PayloadSource:
    """A payload that was read, or the name of an S3 object or a shared test event still to be read."""

    weight: float
    data: bytes | None
    s3_uri: str | None = None
    shared_event: str | None = None


def command_line(*words: str) -> str:
    """A command as it is typed in a shell."""
    return shlex.join(words)


def flags(values: Mapping[str, object | None]) -> list[str]:
    """``--name value`` for every value that was given."""
    return [word for name, value in values.items() if value is not None for word in (name, str(value))]


def read_architectures(text: str | None) -> tuple[Architecture, ...]:
    """``both`` or names with commas between them; none where nothing was asked for."""
    if text == "both":
        return tuple(Architecture)
    try:
        return tuple(Architecture(name.strip()) for name in text.split(",")) if text else ()
    except ValueError:
        raise UsageError(f"{text!r} is no architecture.", hint="Use --arch x86_64, arm64 or both.") from None


def read_confidence(text: str, *, least: float = 0.5, most: float = 0.99) -> float:
    confidence = parse_percent(text)
    if not least <= confidence <= most:
        raise UsageError(
            f"A confidence of {text} cannot be searched for.",
            hint=f"Use --confidence from {least:.0%} to {most:.0%}.",
        )
    return confidence


def _optional_usd(text: str | None) -> Decimal | None:
    return None if text is None else parse_usd(text)


def _key_and_value(pair: str) -> tuple[str, str]:
    key, separator, value = pair.partition("=")
    if not separator or not key:
        raise UsageError("An --env has no KEY=VALUE form.", hint="Write it like --env STAGE=test.")
    return key, value


def _payload_source(text: str) -> PayloadSource:
    source, weight = split_weight(text)
    if source.startswith("s3://"):
        return PayloadSource(weight, None, source)
    return PayloadSource(weight, read_payload(source, stdin=sys.stdin.buffer.read))


def _shown_payload(payload: str) -> str:
    """A file's name may be shown, JSON text may not: reports are shared."""
    source, _ = split_weight(payload)
    return payload if source == "-" or source.startswith("s3://") or Path(source).is_file() else "..."
