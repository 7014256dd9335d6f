"""The options of a run, checked before anything starts: bad input never leaves anything behind."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tuner.errors import UsageError
from tuner.inputs.memory import parse_memory
from tuner.inputs.payloads import read_payload
from tuner.model import Strategy
from tuner.units import parse_percent, parse_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """``tuner run`` as it was typed."""

    function: str
    local: bool
    memory: str
    strategy: Strategy
    tolerance: str
    sampling: str
    samples: int
    wave: int | None
    payload: str | None
    seed: int
    max_cost: str
    yes: bool
    price_per_gb_s: str | None
    price_per_request: str | None
    region: str | None
    profile: str | None
    endpoint_url: str | None
    handler: str | None
    timeout_s: int
    current_memory_mb: int
    environment: tuple[str, ...]
    json_output: bool
    report_files: tuple[Path, ...]
    quiet: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInputs:
    """The same, as values."""

    memory_mb: tuple[int, ...]
    tolerance: float
    payload: bytes
    max_cost_usd: Decimal
    price_per_gb_s: Decimal | None
    price_per_request: Decimal | None
    environment: dict[str, str]


def read_inputs(options: RunOptions) -> RunInputs:
    """Raises a UsageError for the first option that cannot be used."""
    _check_combination(options)
    return RunInputs(
        memory_mb=parse_memory(options.memory).sizes,
        tolerance=parse_percent(options.tolerance),
        payload=read_payload(options.payload, stdin=sys.stdin.buffer.read),
        max_cost_usd=parse_usd(options.max_cost),
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
    words += ["--sampling", options.sampling, "-n", str(options.samples), "--seed", str(options.seed)]
    optional = {
        "--wave": options.wave,
        "--payload": _shown_payload(options.payload),
        "--region": options.region,
        "--price-per-gb-s": options.price_per_gb_s,
        "--price-per-request": options.price_per_request,
        "--handler": options.handler,
    }
    for name, value in optional.items():
        words += [name, str(value)] if value is not None else []
    if options.local:
        words += ["--timeout", str(options.timeout_s), "--current-memory", str(options.current_memory_mb)]
    for pair in options.environment:
        words += ["--env", f"{pair.partition('=')[0]}=..."]
    return shlex.join(words)


def _check_combination(options: RunOptions) -> None:
    if options.local and (options.profile or options.endpoint_url):
        raise UsageError(
            "--local starts its own Lambda: --profile and --endpoint-url have no meaning beside it.",
            hint="Leave out --local, or the other two.",
        )
    if not options.local and (options.handler or options.environment):
        raise UsageError("--handler and --env describe a local function.", hint="Add --local, or leave them out.")


def _optional_usd(text: str | None) -> Decimal | None:
    return None if text is None else parse_usd(text)


def _key_and_value(pair: str) -> tuple[str, str]:
    key, separator, value = pair.partition("=")
    if not separator or not key:
        raise UsageError("An --env has no KEY=VALUE form.", hint="Write it like --env STAGE=test.")
    return key, value


def _shown_payload(payload: str | None) -> str | None:
    """A file's name may be shown, JSON text may not."""
    if payload is None or payload == "-":
        return payload
    return payload if Path(payload).is_file() else "..."
