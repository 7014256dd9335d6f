"""What a report keeps to itself when it is shared, unless its owner asks otherwise.

Account ids, ARNs, payloads and what the environment is called stay out of everything that is made to be passed on:
the page, Markdown, and a published copy. The report.json that a run writes for its owner is not touched.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, TypeVar

from tuner.model import ColdStartReport, GateReport, Measurement, Report, Sample
from tuner.render.text import without_account_ids

T = TypeVar("T")
Shared = TypeVar("Shared", bound=Report | ColdStartReport)


class Private(StrEnum):
    """What ``--include`` can bring back."""

    ACCOUNTS = "accounts"
    """Twelve-digit account ids, wherever they stand."""
    ARNS = "arns"
    """Everything of an ARN before the kind and the name of the resource."""
    PAYLOADS = "payloads"
    """The payload's hash, the name of its file, and error messages of the function, which may quote it."""
    ENVIRONMENT = "environment"
    """Names of environment variables, and of execution environments (log streams)."""


LEFT_OUT = "(left out)"

_ARN = re.compile(r"\barn:[\w-]+:[\w-]+:[\w-]*:(?:\d{12}|\(account\))?:")
_PAYLOAD_OPTION = re.compile(r"(--(?:payload|event)[ =])('[^']*'|\S+)")
_ENVIRONMENT_OPTION = re.compile(r"(--env[ =])('[^']*'|\S+)")


def redacted(report: Shared, include: Iterable[Private] = ()) -> Shared:
    """The report without what is private, its samples as they are: no renderer shows their texts."""
    kept = frozenset(include)
    clean = _cleaner(kept)
    shared = _mapped(dataclasses.replace(report, samples=()), clean)
    return dataclasses.replace(
        shared, measurement=_measurement(report.measurement, kept, clean), samples=report.samples
    )


def redacted_gate(report: GateReport, include: Iterable[Private] = (), *, samples: bool = False) -> GateReport:
    """A gate's report without what is private; with ``samples`` those are cleaned too, for a file that holds them."""
    kept = frozenset(include)
    clean = _cleaner(kept)
    bare = tuple(dataclasses.replace(comparison, samples=()) for comparison in report.comparisons)
    shared = _mapped(dataclasses.replace(report, comparisons=bare), clean)
    labels: dict[str, str] = {}
    comparisons = tuple(
        dataclasses.replace(
            clean_one,
            samples=tuple(_sample(s, kept, labels) for s in original.samples) if samples else original.samples,
        )
        for clean_one, original in zip(shared.comparisons, report.comparisons, strict=True)
    )
    return dataclasses.replace(
        shared, measurement=_measurement(report.measurement, kept, clean), comparisons=comparisons
    )


def redacted_with_samples(report: Shared, include: Iterable[Private] = ()) -> Shared:
    """The same for a file that holds the samples too."""
    kept = frozenset(include)
    labels: dict[str, str] = {}
    samples = tuple(_sample(sample, kept, labels) for sample in report.samples)
    return dataclasses.replace(redacted(report, kept), samples=samples)


def _measurement(how: Measurement, kept: frozenset[Private], clean: Callable[[str], str]) -> Measurement:
    command = clean(how.command)
    if Private.PAYLOADS not in kept:
        command = _PAYLOAD_OPTION.sub(rf"\1{LEFT_OUT}", command)
    if Private.ENVIRONMENT not in kept:
        command = _ENVIRONMENT_OPTION.sub(rf"\1{LEFT_OUT}", command)
    return dataclasses.replace(
        _mapped(how, clean),
        command=command,
        payload_sha256=how.payload_sha256 if Private.PAYLOADS in kept else LEFT_OUT,
    )


def _cleaner(kept: frozenset[Private]) -> Callable[[str], str]:
    def clean(text: str) -> str:
        if Private.ARNS not in kept:
            text = _ARN.sub("(arn):", text)
        return text if Private.ACCOUNTS in kept else without_account_ids(text)

    return clean


def _mapped(value: T, clean: Callable[[str], str]) -> T:
    """A copy of a value of the model with ``clean`` applied to every text in it; enumerations stay what they are."""
    found: Any = value
    if type(found) is str:
        found = clean(found)
    elif isinstance(found, tuple):
        found = tuple(_mapped(item, clean) for item in found)
    elif dataclasses.is_dataclass(found) and not isinstance(found, type):
        changes = {field.name: _mapped(getattr(found, field.name), clean) for field in dataclasses.fields(found)}
        found = dataclasses.replace(found, **changes)
    return found  # type: ignore[no-any-return]  # every branch gives back what came in


def _sample(sample: Sample, kept: frozenset[Private], labels: dict[str, str]) -> Sample:
    message, environment = sample.error_message, sample.environment
    if message is not None:
        message = _cleaner(kept)(message) if Private.PAYLOADS in kept else LEFT_OUT
    if environment is not None and Private.ENVIRONMENT not in kept:
        environment = labels.setdefault(environment, f"environment {len(labels) + 1}")
    return dataclasses.replace(sample, error_message=message, environment=environment)
