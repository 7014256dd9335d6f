"""Endpoint URLs: the usual typos are answered with what was meant."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tuner.aws.endpoints import check_environment, checked_endpoint
from tuner.aws.session import AwsAccess
from tuner.cli.app import app
from tuner.errors import EndpointError


@pytest.mark.parametrize(
    "url",
    ["http://localhost:4566", "https://vpce-1.lambda.eu-central-1.vpce.amazonaws.com", "http://[::1]:4566/base"],
)
def test_a_url_stays_as_it_is(url: str) -> None:
    assert checked_endpoint(url) == url


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("localhost:4566", "http://localhost:4566"),
        ("localhost", "http://localhost"),
        ("127.0.0.1:4566", "http://127.0.0.1:4566"),
        ("localstack:4566", "http://localstack:4566"),
        ("//localhost:4566", "http://localhost:4566"),
        ("http:/localhost:4566", "http://localhost:4566"),
        ("HTTP:localhost:4566", "http://localhost:4566"),
        ("tcp://localhost:4566", "http://localhost:4566"),
        (" http://localhost:4566 ", "http://localhost:4566"),
        ("lambda.eu-central-1.amazonaws.com", "https://lambda.eu-central-1.amazonaws.com"),
    ],
)
def test_what_is_no_url_is_refused_with_what_was_meant(typed: str, meant: str) -> None:
    with pytest.raises(EndpointError, match="--endpoint-url is not the URL") as caught:
        checked_endpoint(typed)
    assert caught.value.hint == f"Write {meant}"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "//[",
        "http://",
        "http://host:99999",
        "http://host:0",
        "http://a b",
        "http://a\x1b[2J",
        "http://h/?x=1",
        "::",
    ],
)
def test_what_cannot_be_mended_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(EndpointError) as caught:
        checked_endpoint(typed)
    assert "http" in caught.value.hint
    assert "\x1b" not in caught.value.message


def test_a_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(EndpointError) as caught:
        checked_endpoint("http://me:secret@localhost:4566")
    assert "secret" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA"])
def test_a_variable_is_named_where_the_typo_is_in_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "localhost:4566")
    with pytest.raises(EndpointError, match=rf"{name} is not the URL"):
        AwsAccess(region="eu-central-1").control_client()


def test_variables_that_botocore_is_told_to_ignore_are_ignored() -> None:
    check_environment({"AWS_ENDPOINT_URL": "localhost", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"})


def test_the_embedded_lambda_is_reached_whatever_the_variables_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:4566")
    access = AwsAccess(region="eu-central-1", endpoint_url="http://localhost:1")
    assert access.control_client().meta.endpoint_url == "http://localhost:1"


@pytest.mark.parametrize(
    "words",
    [
        *(["run", "f"], ["plan", "f"], ["cold-start", "f"], ["gate", "f"], ["recover"], ["doctor"]),
        *(["apply", "report.json"], ["report", "report.json"], ["compare", "a.json", "b.json"]),
    ],
    ids=lambda words: words[0],
)
def test_every_command_that_takes_an_endpoint_refuses_one_without_a_scheme(words: list[str]) -> None:
    result = CliRunner().invoke(app, [*words, "--endpoint-url", "localhost:4566"])
    assert isinstance(result.exception, EndpointError)


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        ({}, None),
        ({"AWS_ENDPOINT_URL": "http://localhost:1"}, "http://localhost:1"),
        (
            {"AWS_ENDPOINT_URL": "http://localhost:1", "AWS_ENDPOINT_URL_LAMBDA": "http://localhost:2"},
            "http://localhost:2",
        ),
        ({"AWS_ENDPOINT_URL": "http://localhost:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, None),
    ],
)
def test_a_later_process_comes_back_to_the_endpoint_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], endpoint: str | None
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert AwsAccess(region="eu-central-1").named_endpoint_url == endpoint
    assert AwsAccess(region="eu-central-1", endpoint_url="http://own:3").named_endpoint_url == "http://own:3"
