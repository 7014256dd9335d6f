"""Functions in what ``terraform show -json`` prints, of a plan or of a state: names and sizes as they are deployed.

Format: https://developer.hashicorp.com/terraform/internals/json-format (values representation).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tuner.inputs.templates.found import NoPlace, TemplateFunction

RESOURCE = "aws_lambda_function"
_PLACE = NoPlace(reason="this is what Terraform says, not what it is told", line=1)


def looks_like_terraform_show(text: str) -> bool:
    head = text[:2000]
    return '"format_version"' in head and '"terraform_version"' in head


def terraform_show_functions(document: object) -> tuple[TemplateFunction, ...]:
    """The functions of a plan (as they are going to be) or of a state (as they are)."""
    shown = _object(document)
    values = _object(shown.get("planned_values")) or _object(shown.get("values"))
    return tuple(_functions(_object(values.get("root_module"))))


def _functions(root: Mapping[str, Any]) -> Iterator[TemplateFunction]:
    waiting = [root]
    while waiting:
        module = waiting.pop()
        for resource in map(_object, _list(module.get("resources"))):
            if resource.get("type") == RESOURCE and resource.get("mode", "managed") == "managed":
                yield _function(resource)
        waiting.extend(_object(child) for child in reversed(_list(module.get("child_modules"))))


def _function(resource: Mapping[str, Any]) -> TemplateFunction:
    values = _object(resource.get("values"))
    memory_mb = values.get("memory_size")
    return TemplateFunction(
        resource=_text(resource, "address") or RESOURCE,
        line=1,
        place=_PLACE,
        memory_mb=memory_mb if type(memory_mb) is int else None,
        name=_text(values, "function_name"),
        runtime=_text(values, "runtime"),
        handler=_text(values, "handler"),
        code=_text(values, "filename"),
    )


def _object(value: object) -> Mapping[str, Any]:
    """``value`` where it is an object; Terraform leaves out and sets to null what it does not know."""
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) else None
