"""Seeded damage to files: of their bytes, of their text, of the tree of a JSON document."""

from __future__ import annotations

import copy
import io
import json
import random
import stat
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

Mutate = Callable[[bytes, random.Random], bytes]

_TOKENS = (
    b"\x00",
    b"\xff\xfe",
    b"\x1b[2J",
    "\u202e\x9b".encode(),
    b"\r\n",
    b"\t",
    b"[" * 2000,
    b'{"a":' * 2000,
    b"- " * 200,
    b"(" * 500,
    b"&a ",
    b"*a",
    b"<<: *a\n",
    b"!!binary ",
    b"%YAML 9.9\n",
    b"---\n",
    b"...",
    b"? ",
    b": ",
    b"${",
    b"<<EOF\n",
    b'"',
    b"'",
    b"#",
    b"=",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 5000,
    b"-5",
    b"0x1f",
    b"1_000",
    b"null",
    b"2026-02-30T25:00:00Z",
    b"../../",
    b";",
    b"%00%ff",
)

_NAME_PARTS = ("a", "app.py", "/", "/", "..", ".", "\\", "C:", "\u202e", "\x1b[2J", "b" * 300, "//", "./", " ")
_TIDY_PARTS = ("a", "b", "c", "d/", "./")
_TIDY_KINDS = (0, stat.S_IFREG, stat.S_IFREG, stat.S_IFREG, stat.S_IFLNK)
_KINDS = (0, stat.S_IFREG, stat.S_IFREG, stat.S_IFLNK, stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR)

_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    2**31,
    2**63,
    10**40,
    -(10**40),
    1e-320,
    1e300,
    -1e300,
    0.5,
    "",
    "x" * 300,
    "\x1b]0;title\x07\x9b2J\u202e",
    "../../etc/passwd",
    "NaN",
    "1e999",
    [],
    {},
    [None],
    [[[[[]]]]],
    {"": None},
)


def mutate_bytes(data: bytes, chance: random.Random) -> bytes:
    """One to four edits of the bytes, wherever they fall."""
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(_EDITS)(data, chance)
    return data


def mutate_json(data: bytes, chance: random.Random) -> bytes:
    """One to three changes of a document's tree; every tenth time its bytes instead."""
    if chance.random() < 0.1:
        return mutate_bytes(data, chance)
    document = [json.loads(data)]
    for _ in range(chance.randint(1, 3)):
        _change(document, chance)
    return json.dumps(document[0]).encode()


def mutate_zip(data: bytes, chance: random.Random) -> bytes:
    """Damaged bytes, or a sound zip file with names, kinds, modes and methods that no tidy program writes."""
    if chance.random() < 0.5:
        return mutate_bytes(data, chance)
    target = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w") as archive:
        warnings.simplefilter("ignore")  # of the duplicate names
        parts, kinds = (_NAME_PARTS, _KINDS) if chance.random() < 0.3 else (_TIDY_PARTS, _TIDY_KINDS)
        for _ in range(chance.randint(1, 4)):
            name = "".join(chance.choice(parts) for _ in range(chance.randint(1, 5)))
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = (chance.choice(kinds) | chance.randrange(0o10000)) << 16
            entry.compress_type = chance.choice((0, 0, 0, 8, 8, 8, 8, 8, 12, 14))
            archive.writestr(
                entry, chance.choice(("", "x" * 1000, "../app.py", "/etc/passwd", "app.py", "a/b", ".."))
            )
    made = target.getvalue()
    return mutate_bytes(made, chance) if chance.random() < 0.2 else made


def _flip(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _overwrite(data: bytes, chance: random.Random) -> bytes:
    at, size = chance.randint(0, len(data)), chance.choice((1, 2, 4))
    return data[:at] + chance.choice((b"\x00", b"\xff", b"\x7f")) * size + data[at + size :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    at, size = chance.randint(0, len(data)), chance.choice((1, 10, 100))
    return data[:at] + data[at + size :]


def _truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randint(0, len(data))]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    at, size = chance.randint(0, len(data)), chance.choice((10, 100, 1000))
    part = data[at : at + size]
    return data[:at] + part * chance.choice((2, 3, 20)) + data[at + size :]


def _move(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if len(lines) > 1:
        lines.insert(chance.randrange(len(lines)), lines.pop(chance.randrange(len(lines))))
    return b"".join(lines)


def _insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(_TOKENS) + data[at:]


def _replace_number(data: bytes, chance: random.Random) -> bytes:
    digits = [at for at, byte in enumerate(data) if 48 <= byte <= 57]
    if not digits:
        return data
    at = chance.choice(digits)
    return data[:at] + chance.choice(_TOKENS) + data[at + 1 :]


_EDITS = (_flip, _overwrite, _cut, _truncate, _repeat, _move, _insert, _insert, _replace_number)


def _places(root: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Every container and key in it, the outermost first."""
    waiting: list[Any] = [root]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        for key in keys:
            yield node, key
            if isinstance(node[key], dict | list):
                waiting.append(node[key])


def _change(root: list[Any], chance: random.Random) -> None:
    places = list(_places(root))
    container, key = chance.choice(places)
    if chance.random() < 0.6:  # types are checked first: what keeps them goes further
        container[key] = _of_the_same_type(container[key], places, chance)
    elif isinstance(container, dict) and chance.random() < 0.3:
        del container[key]
    else:
        container[key] = copy.deepcopy(chance.choice(_VALUES))


def _of_the_same_type(value: Any, places: list[tuple[Any, Any]], chance: random.Random) -> Any:
    if type(value) is int:
        return chance.choice((-1, 0, 1, 2, 127, 10_240, 2**31, 10**14, -value, value * 1000))
    if type(value) is float:
        return chance.choice((-1.0, 0.0, 1.0, 1e-12, 1e14, -value, value * 1e6, value / 1e6))
    if isinstance(value, list) and value:
        kept = chance.sample(value, chance.randint(0, len(value)))
        return copy.deepcopy(kept + kept[:1] * chance.choice((0, 1)))
    alike = [container[key] for container, key in places if type(container[key]) is type(value)]
    return copy.deepcopy(chance.choice(alike))
