"""A change of one function's memory in a template is never a change of another's, and odd templates are refused."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tuner.errors import TunerError
from tuner.inputs.projects.found import read_project
from tuner.inputs.templates.found import TemplateError, TemplateKind, choose
from tuner.inputs.templates.read import edited_alone, template_functions

MERGED_FUNCTION = """
functions:
  first: &base
    handler: a.b
    memorySize: 512
  second:
    <<: *base
    handler: c.d
"""
MERGED_WITHOUT_SIZE = "functions:\n  first: &base\n    handler: a.b\n  second:\n    <<: [*base]\n"
WHOLE_FUNCTION = "functions:\n  first: &base\n    handler: a.b\n    memorySize: 512\n  second: *base\n"
SHARED_PROPERTIES = """
Resources:
  First:
    Type: AWS::Lambda::Function
    Properties: &properties
      Handler: a.b
      MemorySize: 512
  Second:
    Type: AWS::Lambda::Function
    Properties: *properties
"""
THROUGH_DEFAULTS = """
defaults: &defaults
  <<: &inner {memorySize: 512}
  timeout: 3
functions:
  first: *inner
  second: {<<: *defaults, handler: c.d}
"""


def edited(kind: TemplateKind, text: str, resource: str) -> str:
    return edited_alone(kind, text, choose(template_functions(kind, text), "?", resource), 1024)


@pytest.mark.parametrize(
    ("kind", "text", "first"),
    [
        (TemplateKind.SERVERLESS, MERGED_FUNCTION, "first"),
        (TemplateKind.SERVERLESS, MERGED_WITHOUT_SIZE, "first"),
        (TemplateKind.SERVERLESS, WHOLE_FUNCTION, "first"),
        (TemplateKind.SERVERLESS, WHOLE_FUNCTION, "second"),
        (TemplateKind.CLOUDFORMATION, SHARED_PROPERTIES, "First"),
        (TemplateKind.SERVERLESS, THROUGH_DEFAULTS, "first"),
    ],
)
def test_a_mapping_that_another_function_uses_is_not_edited_and_that_function_is_named(
    kind: TemplateKind, text: str, first: str
) -> None:
    with pytest.raises(TemplateError, match=r"used again by .*[sS]econd in line \d"):
        edited(kind, text, first)


def test_the_function_that_merges_gets_a_size_of_its_own() -> None:
    changed = edited(TemplateKind.SERVERLESS, MERGED_FUNCTION, "second")
    sizes = {one.resource: one.memory_mb for one in template_functions(TemplateKind.SERVERLESS, changed)}
    assert sizes == {"first": 512, "second": 1024}


def test_a_merge_into_a_function_with_a_size_of_its_own_is_in_nobodys_way() -> None:
    text = MERGED_FUNCTION + "    memorySize: 256\n"
    changed = edited(TemplateKind.SERVERLESS, text, "first")
    sizes = {one.resource: one.memory_mb for one in template_functions(TemplateKind.SERVERLESS, changed)}
    assert sizes == {"first": 1024, "second": 256}


def test_an_alias_stands_for_the_anchor_above_it_where_a_name_is_used_twice() -> None:
    text = "a: &x 256\nfunctions:\n  f: {memorySize: *x}\nb: &x 512\n"
    assert template_functions(TemplateKind.SERVERLESS, text)[0].memory_mb == 256


REFUSED = {
    "duplicate key": ("functions:\n  f:\n    memorySize: 1\n    memorySize: 2\n", "is in line 3 already"),
    "duplicate in JSON": ('{"functions": {"f": {"memorySize": 1, "memorySize": 2}}}', "already"),
    "merge cycle": ("functions: {a: &a {<<: *a}}", "inside of what it stands for"),
    "unknown alias": ("functions: {a: *b}", "has no anchor"),
    "deep": ("[" * 20_000, "nested more than 100"),
    "no character": ('functions: {a: "\\Uffffffff"}', "cannot be read"),
    "too many": (
        "functions:\n" + "".join(f"  f{number}: {{handler: a}}\n" for number in range(501)),
        "501 functions",
    ),
}


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED)
def test_a_template_that_cannot_be_read_for_certain_is_refused(text: str, why: str) -> None:
    with pytest.raises(TemplateError, match=why):
        template_functions(TemplateKind.SERVERLESS, text)


def test_aliases_that_would_expand_to_billions_are_read_at_once() -> None:
    text = "a0: &a0 {x: 1}\n"
    text += "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 60))
    began_s = time.monotonic()
    [function] = template_functions(TemplateKind.SERVERLESS, f"{text}functions: {{f: {{<<: *a59}}}}\n")
    assert function.memory_mb == 1024
    assert time.monotonic() - began_s < 5


@pytest.mark.parametrize("digits", [10, 5000])
def test_a_number_of_thousands_of_digits_is_no_memory_size(digits: int) -> None:
    number = "9" * digits
    for kind, text in (
        (TemplateKind.SERVERLESS, f"functions: {{f: {{memorySize: {number}}}}}"),
        (TemplateKind.TERRAFORM, f'resource "aws_lambda_function" "f" {{\n  memory_size = {number}\n}}\n'),
    ):
        assert template_functions(kind, text)[0].memory_mb is None


TERRAFORM_TWICE = {
    "attribute": 'resource "aws_lambda_function" "f" {\n  memory_size = 1\n  memory_size = 2\n}\n',
    "local": 'resource "aws_lambda_function" "f" {\n  memory_size = local.m\n}\n'
    "locals {\n  m = 1\n}\nlocals {\n  m = 2\n}\n",
    "resource": 'resource "aws_lambda_function" "f" {\n  memory_size = 1\n}\n' * 2,
}


@pytest.mark.parametrize("text", TERRAFORM_TWICE.values(), ids=TERRAFORM_TWICE)
def test_what_terraform_would_refuse_as_given_twice_is_refused(text: str) -> None:
    with pytest.raises(TunerError):
        edited(TemplateKind.TERRAFORM, text, "aws_lambda_function.f")


def test_an_expression_of_thousands_of_brackets_is_read() -> None:
    brackets = "(" * 3000 + "1" + ")" * 3000
    text = f'resource "aws_lambda_function" "f" {{\n  timeout = {brackets}\n  memory_size = 512\n}}\n'
    assert template_functions(TemplateKind.TERRAFORM, text)[0].memory_mb == 512


@pytest.mark.parametrize(
    "shown",
    [
        '"planned_values": []',
        '"values": {"root_module": {"resources": [null, {"type": "aws_lambda_function", "values": null}]}}',
        '"values": {"root_module": {"child_modules": ' + "[" * 50_000,
    ],
)
def test_odd_output_of_terraform_show_is_no_traceback(shown: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(f'{{"format_version": "1", "terraform_version": "1", {shown}}}')
    read_project(tmp_path)


def test_a_project_with_a_template_that_leads_nowhere_says_so(tmp_path: Path) -> None:
    os.symlink("nowhere", tmp_path / "template.yaml")  # noqa: PTH211
    assert "cannot be read" in read_project(tmp_path).unread[0]
