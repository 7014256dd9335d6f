"""Any template: which kind it is, and what functions it declares."""

from __future__ import annotations

from tuner.inputs.templates.cdk import SOURCE_ENDINGS, synthesised
from tuner.inputs.templates.cloudformation import cloudformation_functions
from tuner.inputs.templates.found import TemplateError, TemplateFunction, TemplateKind, edited
from tuner.inputs.templates.serverless import serverless_functions
from tuner.inputs.templates.terraform import terraform_functions

_SERVERLESS_FILES = ("serverless.yml", "serverless.yaml", "serverless.json")


def template_kind(name: str, text: str) -> TemplateKind:
    """The kind by the file's name, else by what is in it."""
    base = name.rpartition("/")[2].lower()
    if base.endswith((".tf", ".tofu")):
        return TemplateKind.TERRAFORM
    if base.endswith(SOURCE_ENDINGS):
        return TemplateKind.CDK
    if base in _SERVERLESS_FILES or (base.startswith("serverless") and base.endswith((".yml", ".yaml"))):
        return TemplateKind.SERVERLESS
    return TemplateKind.CDK if synthesised(text) else TemplateKind.CLOUDFORMATION


def template_functions(kind: TemplateKind, text: str) -> tuple[TemplateFunction, ...]:
    """The functions of a template that is text, none of a CDK program. TemplateError where it cannot be read."""
    if kind is TemplateKind.TERRAFORM:
        return terraform_functions(text)
    if kind is TemplateKind.SERVERLESS:
        return serverless_functions(text)
    return cloudformation_functions(text)


def edited_alone(kind: TemplateKind, text: str, function: TemplateFunction, memory_mb: int) -> str:
    """``text`` with the memory size of ``function`` changed, read again: TemplateError where that is not all.

    The places are chosen so that nothing else changes; this holds the outcome against the intention, whatever way
    of sharing a value there is.
    """
    changed = edited(text, function, memory_mb)
    before, after = _sizes(template_functions(kind, text)), _sizes(template_functions(kind, changed))
    others = [name for name in before | after if before.get(name) != after.get(name) and name != function.resource]
    if others or after.get(function.resource) not in (None, memory_mb):
        what = f"would change {', '.join(others)} as well" if others else "would not change it"
        raise TemplateError(
            f"Setting the memory size of {function.resource} in this template {what}.",
            hint=f"Set it to {memory_mb} MB by hand, and see what else uses that value.",
        )
    return changed


def _sizes(functions: tuple[TemplateFunction, ...]) -> dict[str, int | None]:
    return {function.resource: function.memory_mb for function in functions}
