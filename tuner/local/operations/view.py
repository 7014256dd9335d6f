"""What all operations share: finding a function, and showing it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tuner.local import faults, wire
from tuner.local.functions import FunctionStore, Resolved
from tuner.local.http import Request, Response, json_response
from tuner.local.identifiers import FunctionName, check_qualifier, parse_function_name

_PAGE = 50
_NUMBER = re.compile("[0-9]{1,9}")


class View:
    def __init__(self, store: FunctionStore) -> None:
        self._store = store

    def resolve(self, request: Request, name: str) -> tuple[Resolved, bool]:
        """What a request is about, and whether it named a version or an alias."""
        target = named(request, name)
        return self._store.resolve(target), target.qualifier is not None

    def configuration(self, resolved: Resolved, *, qualified: bool) -> dict[str, Any]:
        return wire.configuration(
            self._store.namespace,
            resolved.function,
            resolved.version,
            resolved.revision,
            self._store.now_s(),
            qualified=qualified,
        )


def named(request: Request, name: str) -> FunctionName:
    """The function and the qualifier of a request, which may come as a part of the name or beside it."""
    target, qualifier = parse_function_name(name), request.query.get("Qualifier")
    if not qualifier:
        return target
    check_qualifier(qualifier)
    if target.qualifier not in (None, qualifier):
        raise faults.invalid_parameter(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    return FunctionName(target.name, qualifier)


def page(request: Request, member: str, shapes: Sequence[object]) -> Response:
    """One page of a listing. The marker is the position of the next page."""
    marker, size = request.query.get("Marker") or "0", request.query.get("MaxItems") or str(_PAGE)
    if not _NUMBER.fullmatch(marker) or not _NUMBER.fullmatch(size) or not int(size):
        raise faults.invalid_parameter(f"Invalid Marker or MaxItems: {marker}, {size}")
    start = int(marker)
    end = start + min(int(size), _PAGE)
    body: dict[str, Any] = {member: list(shapes[start:end])}
    if end < len(shapes):
        body["NextMarker"] = str(end)
    return json_response(body)
