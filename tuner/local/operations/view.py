"""What all operations share: finding a function, and showing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tuner.local import faults, wire
from tuner.local.functions import FunctionStore, Resolved
from tuner.local.http import Request, Response, json_response
from tuner.local.identifiers import FunctionName, parse_function_name

_PAGE = 50


class View:
    def __init__(self, store: FunctionStore) -> None:
        self._store = store

    def resolve(self, request: Request, name: str) -> tuple[Resolved, bool]:
        target: FunctionName = parse_function_name(name)
        qualifier = request.query.get("Qualifier")
        if qualifier and target.qualifier and qualifier != target.qualifier:
            raise faults.invalid_parameter(
                "The derived qualifier from the function name does not match the specified one."
            )
        resolved = self._store.resolve(target, qualifier)
        return resolved, bool(qualifier or target.qualifier)

    def configuration(self, resolved: Resolved, *, qualified: bool) -> dict[str, Any]:
        return wire.configuration(
            self._store.namespace,
            resolved.function,
            resolved.version,
            resolved.revision,
            self._store.now_s(),
            qualified=qualified,
        )


def page(request: Request, member: str, shapes: Sequence[object]) -> Response:
    """One page of a listing. The marker is the position of the next page."""
    marker, size = request.query.get("Marker") or "0", request.query.get("MaxItems") or str(_PAGE)
    if not marker.isdigit() or not size.isdigit() or not int(size):
        raise faults.invalid_parameter(f"Invalid Marker or MaxItems: {marker}, {size}")
    start = int(marker)
    end = start + min(int(size), _PAGE)
    body: dict[str, Any] = {member: list(shapes[start:end])}
    if end < len(shapes):
        body["NextMarker"] = str(end)
    return json_response(body)
