"""`--event shared:NAME`: a test event of the Lambda console as the payload of a run."""

from __future__ import annotations

from typing import Any

import pytest

import tuner.cli.payloads
from tuner.aws.session import AwsAccess
from tuner.cli.inputs import SendingOptions
from tuner.cli.payloads import read_payloads
from tuner.errors import UsageError


class Registry:
    """A schema registry with one event of the function ``mine``."""

    def __init__(self) -> None:
        self.closed = False

    def describe_schema(self, **names: str) -> dict[str, Any]:
        assert names["SchemaName"] == "_mine-schema"
        return {"Content": '{"components": {"examples": {"order": {"value": {"id": 7}}}}}'}

    def close(self) -> None:
        self.closed = True


def sending(event: str, **options: Any) -> SendingOptions:
    return SendingOptions(
        **{
            "payloads": (), "event": event, "event_settings": (), "event_repeats": (), "expected_errors": (),
            "before": None, "after": None, **options,
        }
    )  # fmt: skip


def test_the_event_is_read_from_the_registry_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry()
    monkeypatch.setattr(tuner.cli.payloads, "schemas_client", lambda **_: registry)
    options = sending("shared:order")
    options.check()
    payloads = read_payloads(options.sources(), AwsAccess(region="eu-central-1"), "mine")
    assert [payload.data for payload in payloads.payloads] == [b'{"id":7}']
    assert registry.closed
    assert options.notices() == ()
    assert options.words() == ["--event", "shared:order"]


def test_a_function_elsewhere_has_no_shared_events() -> None:
    access = AwsAccess(region="eu-central-1", endpoint_url="http://127.0.0.1:1")
    with pytest.raises(UsageError) as error:
        read_payloads(sending("shared:order").sources(), access, "mine")
    assert "tuner event new" in error.value.hint


def test_only_events_of_the_catalogue_can_be_changed() -> None:
    with pytest.raises(UsageError, match="not shared test events"):
        sending("shared:order", event_settings=("id=8",)).check()
