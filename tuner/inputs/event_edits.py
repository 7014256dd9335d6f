"""``--set`` and ``--repeat``: an event changed as typed, with everything that follows from the change kept true.

A setting keeps the type of what it replaces: ``=`` gives a text field a text and a number field a number, and writes
plainly what the event carries encoded. ``:=`` puts in any JSON value, as it stands.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial

from tuner.errors import PayloadError
from tuner.inputs.event_fields import (
    Editor,
    Json,
    NoSuchFieldError,
    encode,
    kind_of,
    parse_json,
    percent_encoded,
    value_at,
)
from tuner.inputs.event_shape import (
    EACH,
    Derived,
    FieldPath,
    How,
    Kind,
    Shape,
    format_path,
    given_path,
    matches,
    parse_path,
)

MOST_RECORDS = 10_000
"""The largest batch that Lambda takes from a queue or a stream (developer guide, ``BatchSize``)."""

_LISTED_NAMES = 12
_LONGEST_NUMBER = 100
_SHORTEST_HEX = 8
_SET_FORM = "Write it like --set Records.0.body=text, or --set detail.items:=[1,2] for JSON."
_REPEAT_FORM = f"Write it like --repeat Records=100, with 1 to {MOST_RECORDS} records."


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """``PATH=TEXT``, or with ``json`` ``PATH:=JSON``."""

    path: FieldPath
    text: str
    json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """``PATH=COUNT``: the list at the path with so many records, each with ids of its own."""

    path: FieldPath
    count: int


def parse_setting(text: str) -> Setting:
    """PayloadError where it has no path and value. What is set is never repeated in an error: it may be private."""
    path, separator, value = text.partition("=")
    json = path.endswith(":")
    path = path.removesuffix(":")
    if not separator or not path:
        raise PayloadError("A --set has no PATH=VALUE form.", hint=_SET_FORM)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PayloadError(f"--set {path!a}: this is not valid UTF-8.", hint=_SET_FORM) from None
    return Setting(path=given_path(path, "--set"), text=value, json=json)


def parse_repetition(text: str) -> Repetition:
    """PayloadError where it has no path, or no count from 1 to MOST_RECORDS."""
    path, separator, count = text.rpartition("=")
    if not separator or not path or not re.fullmatch(r"[0-9]{1,9}", count):
        raise PayloadError("A --repeat has no PATH=COUNT form.", hint=_REPEAT_FORM)
    if not 1 <= int(count) <= MOST_RECORDS:
        raise PayloadError(f"--repeat {path}: {int(count)} records are not possible.", hint=_REPEAT_FORM)
    return Repetition(path=given_path(path, "--repeat"), count=int(count))


def edited(event: Json, settings: Sequence[Setting], repetitions: Sequence[Repetition], shape: Shape) -> Json:
    """``event`` with the settings and repetitions. PayloadError where a path leads nowhere or a value does not fit.

    Settings come before the repetitions, so that each record has them, except those on records that only a repetition
    makes. Fields that follow from others are brought up to date then; one that is set itself keeps what it was given.
    """
    given = [setting for setting in settings if not shape.follows(setting.path)]
    event, waiting = _set_what_is_there(event, given, shape)
    for repetition in repetitions:
        event = _repeated(event, repetition, shape)
    for setting in waiting:
        event = _set_field(event, setting, shape)
    event = up_to_date(event, shape)
    for setting in settings:
        event = event if setting in given else _set_field(event, setting, shape)
    return event


def up_to_date(event: Json, shape: Shape) -> Json:
    """``event`` with each derived field computed from its source, where both are there."""
    for derived in shape.derived:
        change = partial(_follow, event, derived)
        event = _where_it_is(event, parse_path(derived.path), Editor(change, shape))
    return event


def _set_what_is_there(event: Json, settings: Sequence[Setting], shape: Shape) -> tuple[Json, list[Setting]]:
    waiting = []
    for setting in settings:
        try:
            event = _setter(setting, shape).edit(event, setting.path)
        except NoSuchFieldError:
            waiting.append(setting)
    return event, waiting


def _set_field(event: Json, setting: Setting, shape: Shape) -> Json:
    try:
        return _setter(setting, shape).edit(event, setting.path)
    except NoSuchFieldError as error:
        raise _nowhere(error, "--set", setting.path) from None


def _setter(setting: Setting, shape: Shape) -> Editor:
    return Editor(partial(_new_value, setting, shape), shape, create=True)


def _new_value(setting: Setting, shape: Shape, old: Json, at: FieldPath) -> Json:
    if setting.json:
        return _json(setting, at, "a JSON value")
    encoding = shape.encoding(at)
    if encoding is not None and (old is None or isinstance(old, str)):
        return encode(setting.text, encoding)
    if isinstance(old, str) or (old is None and shape.kind_of_new(at) is Kind.TEXT):
        return setting.text
    if old is None:
        return _json_or_text(setting.text)
    value = _json(setting, at, kind_of(old))
    if kind_of(value) != kind_of(old):
        raise _does_not_fit(at, kind_of(old))
    return value


def _json(setting: Setting, at: FieldPath, wanted: str) -> Json:
    try:
        return parse_json(setting.text)
    except ValueError:
        raise _does_not_fit(at, wanted) from None


def _json_or_text(text: str) -> Json:
    try:
        return parse_json(text)
    except ValueError:
        return text


def _repeated(event: Json, repetition: Repetition, shape: Shape) -> Json:
    def repeat(records: Json, at: FieldPath) -> Json:
        if not isinstance(records, list) or not records:
            found = "an empty list" if records == [] else kind_of(records)
            raise PayloadError(
                f"--repeat {format_path(at)}: this is {found}, and there are no records to repeat.", hint=_REPEAT_FORM
            )
        return [_record(records, number, shape, at) for number in range(repetition.count)]

    try:
        return Editor(repeat, shape).edit(event, repetition.path)
    except NoSuchFieldError as error:
        raise _nowhere(error, "--repeat", repetition.path) from None


def _record(records: list[Json], number: int, shape: Shape, at: FieldPath) -> Json:
    """The record for a place in the longer list: the first ones as they are, then copies in turn with new ids."""
    original = number % len(records)
    record = records[original]
    if number < len(records):
        return record
    place = (*at, str(number))
    for pattern in map(parse_path, shape.unique):
        if matches(pattern[: len(place)], place):
            editor = Editor(lambda old, _: next_id(old, number - original), shape)
            record = _where_it_is(record, pattern[len(place) :], editor, place)
    return record


def _where_it_is(node: Json, steps: FieldPath, editor: Editor, at: FieldPath = ()) -> Json:
    """The change, or nothing where the user has taken away the field it is meant for."""
    try:
        return editor.edit(node, steps, at)
    except NoSuchFieldError:
        return node


def next_id(value: Json, distance: int) -> Json:
    """An id of the same form for a record further on: another one for every distance.

    Numbers count on, as numbers or in text; so do hexadecimal ids and UUIDs, whose version stays. Other text gets a
    number at its end, before the ending of a file name.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value + distance
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"[0-9]+", value) and len(value) <= _LONGEST_NUMBER:
        return str(int(value) + distance).zfill(len(value))
    digits = value.replace("-", "")
    if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", digits) and _SHORTEST_HEX <= len(digits) <= _LONGEST_NUMBER:
        return _next_hexadecimal(value, digits, distance)
    stem, dot, ending = value.rpartition(".")
    if not stem or "/" in ending or stem.endswith("/"):
        return f"{value}-{distance}"
    return f"{stem}-{distance}{dot}{ending}"


def _next_hexadecimal(value: str, digits: str, distance: int) -> str:
    number = (int(digits, 16) + distance) % 16 ** len(digits)
    counted = iter(f"{number:0{len(digits)}{'X' if digits.isupper() else 'x'}}")
    return "".join("-" if character == "-" else next(counted) for character in value)


def _follow(event: Json, derived: Derived, old: Json, at: FieldPath) -> Json:
    """The value of a derived field; the one it has where its source is of another kind than the service sends."""
    pattern = parse_path(derived.path)
    chosen = iter([step for expected, step in zip(pattern, at, strict=True) if expected == EACH])
    source = value_at(event, tuple(next(chosen) if step == EACH else step for step in parse_path(derived.source)))
    match derived.how, source:
        case How.TEXT, str():
            value: Json = derived.template.replace("{}", source)
        case How.MD5, str():
            value = hashlib.md5(source.encode(), usedforsecurity=False).hexdigest()
        case How.QUERY, dict() | None:
            value = "&".join("=".join(percent_encoded(str(part)) for part in pair) for pair in (source or {}).items())
        case How.LISTS, dict() | None:
            value = None if source is None else {name: [item] for name, item in source.items()}
        case _:
            value = old
    return value


def _does_not_fit(at: FieldPath, wanted: str) -> PayloadError:
    path = format_path(at)
    hint = f"Give {wanted}, or put in any JSON value with --set '{path}:=...', in quotes for the shell."
    return PayloadError(f"--set {path}: the value is not {wanted}.", hint=hint)


def _nowhere(error: NoSuchFieldError, option: str, path: FieldPath) -> PayloadError:
    where = format_path(error.at) or "the event"
    if error.why is not None:
        return PayloadError(
            f"{option} {format_path(path)}: {where} {error.why}.", hint=f"Shorten the path to {where}."
        )
    return PayloadError(
        f"{option} {format_path(path)}: {where} has no {error.step}.", hint=_what_there_is(where, error)
    )


def _what_there_is(where: str, error: NoSuchFieldError) -> str:
    there = error.there
    if not there:
        return f"{where[:1].upper()}{where[1:]} is empty. `tuner event show` prints the whole event."
    near = get_close_matches(error.step, there, n=1)
    shown = ", ".join(there[:_LISTED_NAMES]) + (", ..." if len(there) > _LISTED_NAMES else "")
    return f"{f'Did you mean {near[0]}? ' if near else ''}It has {shown}."
