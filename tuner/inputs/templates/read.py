"""Any template: which kind it is, and what functions it declares."""

from __future__ import annotations

from tuner.inputs.templates.cdk import SOURCE_ENDINGS, synthesised
from tuner.inputs.templates.cloudformation import cloudformation_functions
from tuner.inputs.templates.found import TemplateFunction, TemplateKind
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
