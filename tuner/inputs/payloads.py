"""The event a run sends: from a file, standard input or the command line, checked before anything is spent.

Payloads may hold personal data, so no error ever repeats what is in one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Never

from tuner.errors import PayloadError

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
"""Lambda's limit for a synchronous invocation (developer guide, "Lambda quotas")."""

EMPTY_EVENT = b"{}"

_ACCEPTED = "Give --payload a JSON file, JSON text, or - for standard input."


def read_payload(text: str | None, *, stdin: Callable[[], bytes]) -> bytes:
    """The bytes to send: UTF-8 JSON as it was written, without a byte order mark.

    ``None`` is the empty event, ``-`` standard input. Text that is JSON is the event itself, even if a file of that
    name exists; anything else is a path. PayloadError where it cannot be read, is not JSON, or is larger than 6 MB.
    """
    if text is None:
        return EMPTY_EVENT
    given = text.strip()
    if given == "-":
        return _checked(stdin(), "standard input")
    if given.startswith(("{", "[", '"')) or _is_json(given):
        return _checked(_utf8(given), "the text after --payload")
    return _checked(_read_file(given), given)


def payload_sha256(payload: bytes) -> str:
    """The hexadecimal digest that names a payload in a report without showing it."""
    return hashlib.sha256(payload).hexdigest()


def _checked(data: bytes, origin: str) -> bytes:
    _check_size(data, origin)
    text = _decoded(data, origin)
    payload = text.encode()
    _check_size(payload, origin)  # UTF-16 may grow on its way to UTF-8
    _check_document(text, origin)
    return payload


def _check_size(data: bytes, origin: str) -> None:
    if len(data) > MAX_PAYLOAD_BYTES:
        raise PayloadError(
            f"The payload is larger than 6 MB: {origin}.",
            hint="Lambda takes at most 6 MB per invocation: send less, or a reference to an object in S3.",
        )


def _check_document(text: str, origin: str) -> None:
    if not text.strip():
        raise PayloadError(f"The payload is empty: {origin}.", hint=f"Write {{}} for an empty event. {_ACCEPTED}")
    try:
        _check_json(text)
    except json.JSONDecodeError as error:
        raise PayloadError(
            f"The payload is not JSON: {origin}, line {error.lineno}, column {error.colno}.",
            hint=f"Correct it there. {_ACCEPTED}",
        ) from None
    except _NotANumberError as error:
        raise PayloadError(
            f"The payload is not JSON: {origin} contains {error}.", hint=f"Write null or a number. {_ACCEPTED}"
        ) from None
    except RecursionError:
        raise PayloadError(f"The payload is nested too deeply to be checked: {origin}.", hint=_ACCEPTED) from None


def _decoded(data: bytes, origin: str) -> str:
    try:
        # PowerShell writes UTF-16 by default, and many editors a byte order mark; Lambda takes neither.
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        raise PayloadError(
            f"The payload is not text: {origin}, byte {error.start + 1}.", hint=f"Save it as UTF-8. {_ACCEPTED}"
        ) from None


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise PayloadError(
            "The text after --payload is not valid UTF-8.", hint=f"Put it in a file. {_ACCEPTED}"
        ) from None


class _NotANumberError(ValueError):
    """``NaN`` or ``Infinity``: Python reads them, JSON has no such thing."""


def _reject_constant(name: str) -> Never:
    raise _NotANumberError(name)


def _check_json(text: str) -> None:
    # Numbers stay text: Python refuses to convert very long ones, which are JSON all the same.
    json.loads(text, parse_int=str, parse_float=str, parse_constant=_reject_constant)


def _is_json(text: str) -> bool:
    try:
        _check_json(text)
    except ValueError:
        return False
    return True


def _read_file(name: str) -> bytes:
    if not _looks_like_path(name):
        raise PayloadError("The text after --payload is neither JSON nor the name of a file.", hint=_ACCEPTED)
    path = Path(name)
    try:
        with path.expanduser().open("rb") as file:
            # One byte more than allowed tells too much from enough, also for pipes, whose size is not known.
            return file.read(MAX_PAYLOAD_BYTES + 1)
    except FileNotFoundError:
        raise PayloadError(
            f"There is no payload file {name!r} (looked in {path.expanduser().absolute().parent}).", hint=_ACCEPTED
        ) from None
    except (OSError, RuntimeError) as error:  # RuntimeError: the home directory of ~name is not known
        reason = getattr(error, "strerror", None) or str(error)
        raise PayloadError(f"The payload file {name!r} cannot be read: {reason}.", hint=_ACCEPTED) from None


def _looks_like_path(text: str) -> bool:
    """Is it safe to repeat in an error? Text meant as JSON, but quoted wrongly for the shell, is not."""
    return len(text) <= 1024 and text.isprintable() and bool(text) and not any(char in text for char in "{}\"'")
