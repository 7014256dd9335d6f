from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.errors import PayloadError
from tuner.inputs.event_edits import next_id
from tuner.inputs.event_fields import decode, encode, percent_encoded, value_at
from tuner.inputs.event_shape import Encoding, FieldPath, format_path, parse_path
from tuner.inputs.events import CatalogueEvent, catalogue, read_event

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXT, children, max_size=3),
    max_leaves=10,
)
PATHS = st.lists(
    st.sampled_from(["Records", "0", "1", "*", "body", "orderId", "md5OfBody", "attributes", "x", r"a\.b"]),
    max_size=5,
).map(".".join)
SETTINGS = st.builds(
    lambda path, sign, value: f"{path}{sign}{value}",
    PATHS,
    st.sampled_from(["=", ":="]),
    st.text() | JSON.map(json.dumps),
)
IDS = (
    st.integers(0, 10**60)
    | st.integers(0, 10**60).map(str)
    | st.uuids().map(str)
    | st.from_regex(r"[0-9a-f]{8,40}", fullmatch=True)
    | TEXT
)
EVENTS = st.sampled_from(catalogue())


def attempt(name: str, settings: list[str], repeat: list[str]) -> Any:
    """The event, or the PayloadError."""
    try:
        return json.loads(read_event(name, settings, repeat))
    except PayloadError as error:
        return error


def text_fields(node: Any, at: FieldPath = ()) -> list[FieldPath]:
    if isinstance(node, str):
        return [at]
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path for step, value in members for path in text_fields(value, (*at, str(step)))]


@given(EVENTS, TEXT, st.data())
def test_any_text_can_be_set_on_any_text_field_and_is_what_the_field_then_holds(
    event: CatalogueEvent, text: str, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(text_fields(json.loads(read_event(event.name)))))
    changed = json.loads(read_event(event.name, [f"{format_path(path)}={text}"]))
    assert decode(value_at(changed, path), event.shape.encoding(path) or Encoding.TEXT) == text


@given(TEXT, st.sampled_from(Encoding))
def test_what_is_encoded_is_decoded_again(text: str, encoding: Encoding) -> None:
    assert decode(encode(text, encoding), encoding) == text


@given(TEXT)
def test_text_in_a_url_is_written_as_the_standard_library_writes_it(text: str) -> None:
    assert percent_encoded(text) == quote_plus(text)
    assert encode(text, Encoding.URL) == quote_plus(text, safe="/")


@given(JSON)
def test_any_json_value_can_be_put_in_as_it_stands(value: Any) -> None:
    changed = json.loads(read_event("eventbridge/custom", [f"detail:={json.dumps(value)}"]))
    assert changed["detail"] == value


@given(EVENTS, st.text() | SETTINGS)
def test_any_setting_gives_an_event_or_an_error_with_a_hint(event: CatalogueEvent, setting: str) -> None:
    changed = attempt(event.name, [setting], [f"{path}=2" for path in event.repeatable])
    if isinstance(changed, PayloadError):
        assert changed.hint


@settings(deadline=None)
@given(st.text() | st.from_regex(r"(Records|records|x)=[0-9]{1,3}", fullmatch=True))
def test_any_repetition_gives_so_many_different_messages_or_an_error_with_a_hint(repeat: str) -> None:
    changed = attempt("sqs/batch", [], [repeat])
    if isinstance(changed, PayloadError):
        assert changed.hint
    else:
        ids = [record["messageId"] for record in changed["Records"]]
        assert len(set(ids)) == len(ids) == int(repeat.rpartition("=")[2])


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_every_message_has_the_digest_of_its_own_body(bodies: list[str]) -> None:
    changed = [f"Records.{number}.body={body}" for number, body in reversed(list(enumerate(bodies)))]
    records = json.loads(read_event("sqs/batch", changed, [f"Records={len(bodies)}"]))["Records"]
    # The first body is in every record until the record's own is set.
    assert [record["body"] for record in records] == bodies
    for record in records:
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode()).hexdigest()


@given(IDS, st.lists(st.integers(1, 10_000), unique=True, max_size=20))
def test_the_ids_of_different_records_differ(value: int | str, distances: list[int]) -> None:
    ids = [value, *(next_id(value, distance) for distance in distances)]
    assert len(set(ids)) == len(ids)
    assert {type(each) for each in ids} == {type(value)}


@given(st.lists(st.text(st.characters(exclude_characters="\\"), min_size=1), min_size=1, max_size=5).map(tuple))
def test_a_path_is_read_as_it_is_written(path: FieldPath) -> None:
    assert parse_path(format_path(path)) == path
