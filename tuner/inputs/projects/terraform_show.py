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


def terraform_show_functions(document: Mapping[str, Any]) -> tuple[TemplateFunction, ...]:
    """The functions of a plan (as they are going to be) or of a state (as they are)."""
    values = document.get("planned_values") or document.get("values") or {}
    return tuple(_functions(values.get("root_module", {})))


def _functions(module: Mapping[str, Any]) -> Iterator[TemplateFunction]:
    for resource in module.get("resources", ()):
        if resource.get("type") == RESOURCE and resource.get("mode", "managed") == "managed":
            values = resource.get("values", {})
            yield TemplateFunction(
                resource=resource["address"],
                line=1,
                place=_PLACE,
                memory_mb=values.get("memory_size"),
                name=values.get("function_name"),
                runtime=values.get("runtime"),
                handler=values.get("handler"),
                code=values.get("filename"),
            )
    for child in module.get("child_modules", ()):
        yield from _functions(child)
