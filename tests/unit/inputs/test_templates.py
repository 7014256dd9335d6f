"""Templates of every kind: the one value changes and every other byte stays; what cannot be told is refused."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path

import pytest

from tuner.errors import UsageError
from tuner.inputs.templates.cdk import construct_path, memory_lines
from tuner.inputs.templates.found import NoPlace, TemplateFunction, TemplateKind, choose, edited
from tuner.inputs.templates.read import template_functions, template_kind

FILES = Path(__file__).parent / "template_files"


def read(name: str) -> tuple[str, tuple[TemplateFunction, ...]]:
    text = (FILES / name).read_bytes().decode()
    return text, template_functions(template_kind(name, text), text)


def named(name: str, resource: str) -> tuple[str, TemplateFunction]:
    text, functions = read(name)
    return text, choose(functions, "?", resource)


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    """Pairs of what was replaced by what, whole lines with their ends."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    operations = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [("".join(old[i:j]), "".join(new[k:m])) for tag, i, j, k, m in operations if tag != "equal"]


ONE_LINE = {
    ("sam.yaml", "Worker"): ("    Default: 512         # the queue's worker\n", 512),
    ("sam.yaml", "Thumbnail"): ("      MemorySize: *memory   # shared\n", 768),
    ("sam.yaml", "Search"): ("      MemorySize:    '1024'   # quoted, oddly indented\n", 1024),
    ("sam-globals.yaml", "Only"): ("    MemorySize: 256   # only one function\n", 256),
    ("mappings.yaml", "Fixed"): ("      Memory: 1024   # MB\n", 1024),
    ("mappings.yaml", "LongForm"): ("    Small: {Memory: 256, Timeout: 3}\n", 256),
    ("anchors.yaml", "Second"): ("      MemorySize: *size\n", 256),
    ("anchors.yaml", "AnchoredAlone"): (
        "    Properties: {FunctionName: alone, MemorySize: &alone 256, Handler: a.b}\n",
        256,
    ),
    ("odd.yaml", "Quoted"): ('      "MemorySize" : 512   # a space before the colon\n', 512),
    ("odd.yaml", "NextLine"): ("        512\n", 512),
    ("tabs.json", "Worker"): ('\t\t\t\t"MemorySize": 512,\n', 512),
    ("tabs.json", "ByParameter"): (
        '\t"Parameters": {"Memory": {"Type": "Number", "Default": "256", "MinValue": 128, "MaxValue": 3008}}\n',
        256,
    ),
    ("crlf.yaml", "Sized"): ("      MemorySize: 512\r\n", 512),
    ("serverless.yml", "checkout"): ("    memorySize: 1024 # measured in spring\n", 1024),
    ("serverless.yml", "resize"): ("    resize: 1536     # MB\n", 1536),
    ("serverless-list.yml", "only"): ("provider: {name: aws, memorySize: 512}\n", 512),
    ("lambda.tf", "aws_lambda_function.api"): ("  memory_size   = 256 // in MB\n", 256),
    ("lambda.tf", "aws_lambda_function.worker"): ("  default     = 512 # MB\n", 512),
    ("lambda.tf", "aws_lambda_function.search"): ("  search_memory = 1024\n", 1024),
    ("lambda.tf", "module.thumbnail"): ("  memory_size   = 1024\n", 1024),
}


@pytest.mark.parametrize(("file", "resource"), ONE_LINE, ids=str)
def test_exactly_one_line_changes_and_in_it_only_the_number(file: str, resource: str) -> None:
    line, memory_mb = ONE_LINE[file, resource]
    text, function = named(file, resource)
    assert function.memory_mb == memory_mb
    accepted = 1769
    after = edited(text, function, accepted)
    token = {"Thumbnail": "*memory", "Second": "*size"}.get(resource, str(memory_mb))
    assert changed_lines(text, after) == [(line, line.replace(token, str(accepted)))]


ADDED = {
    ("sam.yaml", "Api"): ("      MemorySize: 1769\n", 256),
    ("anchors.yaml", "First"): ("      MemorySize: 1769\n", 512),
    ("odd.yaml", "Block"): ("      MemorySize: 1769\n", 128),
    ("tabs.json", "Bare"): ('\t\t\t\t"MemorySize": 1769,\n', 128),
    ("crlf.yaml", "Windows"): ("      MemorySize: 1769\r\n", 128),
    ("serverless.yml", "hello"): ("    memorySize: 1769\n", 512),
    ("lambda.tf", "aws_lambda_function.bare"): ("  memory_size   = 1769\n", 128),
}


@pytest.mark.parametrize(("file", "resource"), ADDED, ids=str)
def test_a_function_without_a_size_of_its_own_gets_one_line(file: str, resource: str) -> None:
    line, memory_mb = ADDED[file, resource]
    text, function = named(file, resource)
    assert function.memory_mb == memory_mb
    after = edited(text, function, 1769)
    assert changed_lines(text, after) == [("", line)]
    again = choose(template_functions(template_kind(file, after), after), "?", resource)
    assert again.memory_mb == 1769


def test_a_pair_is_added_between_braces() -> None:
    text, function = named("anchors.yaml", "Braces")
    line = "    Properties: { FunctionName: braces, Handler: a.b }\n"
    after = edited(text, function, 1769)
    assert changed_lines(text, after) == [(line, line.replace("{ ", "{ MemorySize: 1769, "))]


REFUSED = {
    ("sam.yaml", "Report"): "Fn::If",
    ("mappings.yaml", "ByStage"): "depends on the deployment",
    ("mappings.yaml", "Imported"): "Fn::ImportValue",
    ("mappings.yaml", "Secret"): "not a plain number",
    ("anchors.yaml", "Anchored"): "&size and used again by Second in line 19",
    ("odd.yaml", "WithoutProperties"): "no properties",
    ("odd.yaml", "Conditional"): "its properties come from Fn::If",
    ("odd.yaml", "Hexadecimal"): "not a plain number",
    ("serverless.yml", "a"): "used in several places",
    ("serverless.yml", "env"): "${env:MEMORY, '512'}",
    ("lambda.tf", "aws_lambda_function.first"): "used in several places",
    ("lambda.tf", "aws_lambda_function.chosen"): "var.production ? 2048 : 512",
    ("lambda.tf", "aws_lambda_function.elsewhere"): "no value in this file",
    ("lambda.tf", "aws_lambda_function.many"): "several functions (for_each)",
}


@pytest.mark.parametrize(("file", "resource"), REFUSED, ids=str)
def test_what_one_value_does_not_decide_is_refused_with_its_line(file: str, resource: str) -> None:
    text, function = named(file, resource)
    assert isinstance(function.place, NoPlace)
    assert REFUSED[file, resource] in function.place.reason
    assert 1 <= function.place.line <= text.count("\n")
    with pytest.raises(UsageError, match="cannot be changed here"):
        edited(text, function, 1769)


def test_a_size_that_the_parameter_does_not_allow_is_refused() -> None:
    text, function = named("sam.yaml", "Worker")
    with pytest.raises(UsageError, match="does not allow 3008 MB"):
        edited(text, function, 3008)
    text, function = named("tabs.json", "ByParameter")
    with pytest.raises(UsageError, match="does not allow 4096 MB"):
        edited(text, function, 4096)


def test_a_parameter_says_that_existing_stacks_keep_its_value() -> None:
    _, function = named("sam.yaml", "Worker")
    assert not isinstance(function.place, NoPlace)
    assert "--parameter-overrides" in str(function.place.remark)


@pytest.mark.parametrize(
    ("file", "name", "resource"),
    [
        ("sam.yaml", "orders-worker", "Worker"),
        ("sam.yaml", "shop-api", "Api"),
        ("sam.yaml", "shop-Search-1a2B3c4D5e6F", "Search"),
        ("tabs.json", "prod-worker", "Worker"),
        ("serverless.yml", "shop-dev-hello", "hello"),
        ("serverless.yml", "prod-checkout", "checkout"),
        ("lambda.tf", "search", "aws_lambda_function.search"),
        ("lambda.tf", "live-worker", "aws_lambda_function.worker"),
        ("sam-globals.yaml", "whatever", "Only"),
    ],
)
def test_the_function_is_found_by_its_deployed_name(file: str, name: str, resource: str) -> None:
    _, functions = read(file)
    assert choose(functions, name, None).resource == resource


@pytest.mark.parametrize(("file", "name"), [("sam.yaml", "unheard-of"), ("mappings.yaml", "unheard-of")])
def test_an_uncertain_function_is_asked_for_and_never_guessed(file: str, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be told") as error:
        choose(read(file)[1], name, None)
    assert "--resource" in error.value.hint


def test_an_unknown_resource_names_those_there_are() -> None:
    with pytest.raises(UsageError) as error:
        named("sam-globals.yaml", "Onyl")
    assert "Only" in error.value.hint


def test_the_kind_is_told_by_name_and_content() -> None:
    kinds = {path.name: template_kind(path.name, path.read_bytes().decode()) for path in FILES.iterdir()}
    assert kinds == {
        "sam.yaml": TemplateKind.CLOUDFORMATION,
        "sam-globals.yaml": TemplateKind.CLOUDFORMATION,
        "mappings.yaml": TemplateKind.CLOUDFORMATION,
        "anchors.yaml": TemplateKind.CLOUDFORMATION,
        "tabs.json": TemplateKind.CLOUDFORMATION,
        "crlf.yaml": TemplateKind.CLOUDFORMATION,
        "odd.yaml": TemplateKind.CLOUDFORMATION,
        "serverless.yml": TemplateKind.SERVERLESS,
        "serverless-list.yml": TemplateKind.SERVERLESS,
        "lambda.tf": TemplateKind.TERRAFORM,
        "cdk.template.json": TemplateKind.CDK,
        "stack.ts": TemplateKind.CDK,
    }


def test_cdk_is_located_and_left_alone() -> None:
    assert construct_path((FILES / "cdk.template.json").read_text(), "ThumbnailF0AC6E0B") == "Shop/Thumbnail/Resource"
    [line] = memory_lines((FILES / "stack.ts").read_text())
    assert (line.line, line.text) == (5, "memorySize: 512,")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.yaml", "Resources: [1\nb: 2"),
        ("t.yaml", ""),
        ("t.yaml", "just: a file"),
        ("t.tf", 'resource "a" {'),
        ("serverless.yml", "service: x"),
        ("serverless.yml", "functions: ${file(functions.yml)}"),
    ],
)
def test_what_is_no_template_is_a_usage_error(name: str, text: str) -> None:
    with pytest.raises(UsageError):
        template_functions(template_kind(name, text), text)


def test_a_byte_order_mark_and_a_missing_last_line_end_stay() -> None:
    text = "\ufeffResources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Handler: a.b"
    [function] = template_functions(TemplateKind.CLOUDFORMATION, text)
    assert edited(text, function, 256) == f"{text}\n      MemorySize: 256"
