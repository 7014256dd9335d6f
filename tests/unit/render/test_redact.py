"""What a shared report keeps to itself, and how each part is brought back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tuner import codec
from tuner.model import Notice, Report, Severity
from tuner.render.html import render_html
from tuner.render.markdown import render_markdown
from tuner.render.redact import LEFT_OUT, Private, redacted, redacted_with_samples

ACCOUNT = "123456789012"
ARN = f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:thumbnail"
SECRET = "order 4711 of a customer"


@pytest.fixture
def private(report: Report) -> Report:
    how = replace(
        report.measurement,
        command=f"tuner run {ARN} --payload '/home/somebody/order 4711.json' --env STAGE=... --seed 7",
        payload_sha256="ab" * 32,
    )
    sample = replace(
        report.samples[0], error_message=f"{SECRET}: {ARN}", environment="2026/11/21/[1]0123456789abcdef"
    )
    notice = Notice(code="x", severity=Severity.INFO, message=f"{ARN} was slow", remedy=f"ask {ACCOUNT}")
    return replace(report, measurement=how, notices=(notice,), samples=(sample, *report.samples[1:]))


def everything(report: Report) -> str:
    return codec.encode(redacted_with_samples(report)).decode()


def test_nothing_private_is_in_anything_that_is_shared(private: Report) -> None:
    for text in (render_html(private, interactive=False), render_markdown(private), everything(private)):
        for secret in (ACCOUNT, "arn:aws", "somebody", "4711", "STAGE", "0123456789abcdef", "abababab"):
            assert secret not in text, secret
        assert ":function:thumbnail" in text


@pytest.mark.parametrize(
    ("part", "brought_back"),
    [
        (Private.ACCOUNTS, f"ask {ACCOUNT}"),
        (Private.ARNS, "arn:aws:lambda:eu-central-1:(account):function:thumbnail"),
        (Private.PAYLOADS, "order 4711.json"),
        (Private.ENVIRONMENT, "STAGE=..."),
    ],
)
def test_each_part_is_brought_back_by_its_name_and_alone(private: Report, part: Private, brought_back: str) -> None:
    def shown(include: tuple[Private, ...]) -> str:
        return codec.encode(redacted_with_samples(private, include)).decode()

    assert brought_back in shown((part,))
    assert all(brought_back not in shown((other,)) for other in Private if other is not part)


def test_with_everything_included_the_report_is_what_it_was(private: Report) -> None:
    assert redacted_with_samples(private, tuple(Private)) == private


def test_error_messages_and_names_of_environments_go_but_stay_distinct(private: Report) -> None:
    two = replace(private.samples[1], environment="another")
    shown = redacted_with_samples(replace(private, samples=(private.samples[0], two, private.samples[0])))
    assert shown.samples[0].error_message == LEFT_OUT
    assert [sample.environment for sample in shown.samples] == ["environment 1", "environment 2", "environment 1"]


def test_a_report_without_anything_private_loses_nothing_but_its_payload_hash(report: Report) -> None:
    shown = redacted(report)
    assert replace(shown, measurement=report.measurement) == report
    assert shown.measurement == replace(report.measurement, payload_sha256=LEFT_OUT)
