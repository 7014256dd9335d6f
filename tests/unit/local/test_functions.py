"""The store of functions, with a clock that the test moves."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from tuner.local.faults import ApiError
from tuner.local.functions import Code, FunctionStore, Settings
from tuner.local.identifiers import Namespace, parse_function_name
from tuner.local.validation import weights

CODE = Code(key="k", sha256="c2hh", size_bytes=1)
SETTINGS = Settings(runtime="python3.11", handler="app.handler", role="r")


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> FunctionStore:
    numbers = itertools.count()
    made = FunctionStore(
        Namespace(), clock=clock, timestamp=lambda: "t", delay_s=1.0, new_id=lambda: f"id-{next(numbers)}"
    )
    made.create("f", SETTINGS, CODE, {})
    return made


def status_of(caught: pytest.ExceptionInfo[ApiError]) -> int:
    return caught.value.status


def publish(store: FunctionStore) -> str:
    return store.publish("f", description=None, code_sha256=None, revision_id=None)[0]


def test_nothing_changes_while_a_function_is_pending(store: FunctionStore) -> None:
    with pytest.raises(ApiError, match="Pending") as caught:
        publish(store)
    assert status_of(caught) == 409


def test_a_revision_id_is_checked_before_the_state(store: FunctionStore, clock: Clock) -> None:
    clock.now_s += 1
    with pytest.raises(ApiError) as caught:
        store.update("f", settings=SETTINGS, revision_id="stale")
    assert status_of(caught) == 412


def test_an_update_is_visible_at_once_and_settles_later(store: FunctionStore, clock: Clock) -> None:
    clock.now_s += 1
    latest = store.update("f", settings=replace(SETTINGS, memory_mb=256), revision_id=None).latest
    assert latest.settings.memory_mb == 256
    assert latest.active(clock()), "a function that is being updated can still be invoked"
    assert not latest.settled(clock())
    clock.now_s += 1
    assert latest.settled(clock())


def test_a_description_given_to_publish_belongs_to_the_version_only(store: FunctionStore, clock: Clock) -> None:
    clock.now_s += 1
    version, revision = store.publish("f", description="tuned", code_sha256=None, revision_id=None)
    assert (version, revision.settings.description) == ("1", "tuned")
    assert store.get("f").latest.settings.description == ""


def test_going_back_to_older_settings_is_a_change(store: FunctionStore, clock: Clock) -> None:
    versions = []
    for memory_mb in (256, 512, 256):
        clock.now_s += 1
        store.update("f", settings=replace(SETTINGS, memory_mb=memory_mb), revision_id=None)
        clock.now_s += 1
        versions.append(publish(store))
    assert versions == ["1", "2", "3"]


def test_publishing_after_the_last_version_was_deleted_makes_a_new_number(store: FunctionStore, clock: Clock) -> None:
    clock.now_s += 1
    publish(store)
    store.delete_version("f", "1")
    assert publish(store) == "2"


def test_deleting_a_version_twice_is_no_error(store: FunctionStore, clock: Clock) -> None:
    clock.now_s += 1
    publish(store)
    store.delete_version("f", "1")
    store.delete_version("f", "1")
    assert store.get("f").versions == {}


def test_latest_cannot_be_deleted_by_qualifier(store: FunctionStore) -> None:
    with pytest.raises(ApiError) as caught:
        store.delete_version("f", "$LATEST")
    assert status_of(caught) == 400


def test_a_function_created_again_is_another_function(store: FunctionStore) -> None:
    old = store.delete("f")
    assert store.create("f", SETTINGS, CODE, {}).uid != old.uid


@pytest.mark.parametrize(
    ("text", "name", "qualifier"),
    [
        ("f", "f", None),
        ("f:3", "f", "3"),
        ("f:$LATEST", "f", "$LATEST"),
        ("000000000000:function:f", "f", None),
        ("function:f:live", "f", "live"),
        ("arn:aws:lambda:us-east-1:000000000000:function:f:3", "f", "3"),
        ("arn:aws-us-gov:lambda:us-gov-west-1:000000000000:function:f", "f", None),
    ],
)
def test_every_way_to_name_a_function_is_understood(text: str, name: str, qualifier: str | None) -> None:
    parsed = parse_function_name(text)
    assert (parsed.name, parsed.qualifier) == (name, qualifier)


@pytest.mark.parametrize("text", ["", "a b", "../etc", "f:1:2", "x" * 65])
def test_what_is_no_function_name_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_function_name(text)
    assert caught.value.code == "ValidationException"


@pytest.mark.parametrize("weight", [-1.0, 1.1, float("nan"), 10**400, True, "1"])
def test_a_weight_is_a_number_from_nought_to_one(weight: object) -> None:
    """Boto3 checks some of it, other clients nothing."""
    with pytest.raises(ApiError) as caught:
        weights({"RoutingConfig": {"AdditionalVersionWeights": {"2": weight}}}, ())
    assert status_of(caught) == 400
