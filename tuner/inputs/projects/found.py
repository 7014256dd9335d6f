"""The functions of a project, from the templates in its folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuner.inputs.files import UnreadableFileError, read_bounded
from tuner.inputs.projects.terraform_show import looks_like_terraform_show, terraform_show_functions
from tuner.inputs.strict_json import parse_json
from tuner.inputs.templates.found import TemplateError, TemplateFunction, TemplateKind
from tuner.inputs.templates.read import template_functions, template_kind

DEEPEST = 4
LARGEST_TEMPLATE = 2_000_000
"""Bytes. Larger files are data, not templates."""
MOST_FILES = 20_000

_SKIPPED = frozenset(
    {".git", ".venv", "venv", "node_modules", ".terraform", ".aws-sam", ".serverless", "dist", "build", "__pycache__"}
)
_YAML = (".yaml", ".yml", ".template")
_TERRAFORM = (".tf", ".tofu")
_SYNTHESISED = ".template.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFunction:
    """One function and where it is declared."""

    template: Path
    """Relative to the project's folder."""
    kind: TemplateKind
    function: TemplateFunction

    @property
    def key(self) -> str:
        """A short name for it: the last part of what the template calls it."""
        return self.function.resource.rpartition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    functions: tuple[ProjectFunction, ...]
    unread: tuple[str, ...] = ()
    """Templates that could not be read, and why."""


def read_project(folder: Path) -> Project:
    """Every function that a template below ``folder`` declares, in the order of the files' names."""
    functions: list[ProjectFunction] = []
    unread: list[str] = []
    for path in _candidates(folder):
        shown = path.relative_to(folder)
        try:
            functions.extend(_declared(path, shown))
        except TemplateError as error:
            unread.append(f"{shown}: {error.message}")
    return Project(functions=tuple(functions), unread=tuple(unread))


def _declared(path: Path, shown: Path) -> Iterator[ProjectFunction]:
    try:
        text = read_bounded(path, limit_bytes=LARGEST_TEMPLATE).decode("utf-8", "replace")
    except UnreadableFileError as error:
        raise TemplateError(f"The template {error}.", hint="Give a template that can be read.") from error
    if path.suffix == ".json" and looks_like_terraform_show(text):
        for function in _shown(text):
            yield ProjectFunction(template=shown, kind=TemplateKind.TERRAFORM, function=function)
    elif _looks_like_template(path, text):
        kind = template_kind(path.name, text)
        for function in template_functions(kind, text):
            yield ProjectFunction(template=shown, kind=kind, function=function)


def _shown(text: str) -> tuple[TemplateFunction, ...]:
    try:
        return terraform_show_functions(parse_json(text))
    except ValueError as error:
        raise TemplateError(
            f"The template is not JSON: {error}.", hint="Write it again: terraform show -json"
        ) from error


def _looks_like_template(path: Path, text: str) -> bool:
    """Cheap signs, so that a project's other YAML and JSON is not parsed."""
    if path.suffix in _TERRAFORM:
        return "aws_lambda_function" in text or "terraform-aws-modules/lambda" in text
    if path.name.startswith("serverless"):
        return "functions" in text
    return "AWS::Serverless::Function" in text or "AWS::Lambda::Function" in text


def _candidates(folder: Path) -> Iterator[Path]:
    seen = 0
    for root, folders, files in os.walk(folder):
        place = Path(root)
        deep = len(place.relative_to(folder).parts) >= DEEPEST
        folders[:] = [] if deep else sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(files):
            seen += 1
            if seen > MOST_FILES:
                return
            path = place / name
            if _may_be_template(name, place) and _is_small(path):
                yield path


def _is_small(path: Path) -> bool:
    """Whether this may be a template by its size; a file that does not tell it is named when it cannot be read."""
    try:
        return path.stat().st_size <= LARGEST_TEMPLATE
    except OSError:
        return True


def _may_be_template(name: str, place: Path) -> bool:
    if name.endswith(_SYNTHESISED):
        return True
    if place.name == "cdk.out":
        return False  # manifests and assets
    return name.endswith((*_YAML, *_TERRAFORM)) or name in {
        "template.json",
        "serverless.json",
        "terraform.json",
        "plan.json",
    }
