from __future__ import annotations

import pytest

from tuner.errors import IdentifierError
from tuner.inputs.identifiers import parse_function
from tuner.model import FunctionTarget

ACCOUNT = "123456789012"


@pytest.mark.parametrize("name", ["thumbnail", "A_b-9", "x", "7", "a" * 64, "my-function-"])
def test_a_name_alone_is_a_function(name: str) -> None:
    assert parse_function(name) == FunctionTarget(name=name)


@pytest.mark.parametrize("qualifier", ["7", "live", "$LATEST", "$LATEST.PUBLISHED", "b" * 128])
def test_a_name_may_carry_a_version_an_alias_or_latest(qualifier: str) -> None:
    assert parse_function(f"thumbnail:{qualifier}") == FunctionTarget(name="thumbnail", qualifier=qualifier)


def test_a_partial_arn_names_the_account() -> None:
    assert parse_function(f"{ACCOUNT}:function:f") == FunctionTarget(name="f", account=ACCOUNT)
    assert parse_function(f"{ACCOUNT}:function:f:live") == FunctionTarget(name="f", account=ACCOUNT, qualifier="live")


def test_a_partial_arn_may_name_the_region() -> None:
    expected = FunctionTarget(name="f", region="eu-west-1", account=ACCOUNT, qualifier="7")
    assert parse_function(f"eu-west-1:{ACCOUNT}:function:f:7") == expected


def test_in_an_arn_a_name_may_look_like_an_account() -> None:
    assert parse_function(f"{ACCOUNT}:function:{ACCOUNT}:live").name == ACCOUNT


def test_the_word_function_may_stand_before_the_name() -> None:
    assert parse_function("function:f:live") == FunctionTarget(name="f", qualifier="live")
    assert parse_function("function") == FunctionTarget(name="function")


@pytest.mark.parametrize(
    ("partition", "region"),
    [
        ("aws", "eu-west-1"),
        ("aws-cn", "cn-north-1"),
        ("aws-us-gov", "us-gov-west-1"),
        ("aws-iso", "us-iso-east-1"),
        ("aws-iso-b", "us-isob-east-1"),
        ("aws-iso-e", "eu-isoe-west-1"),
        ("aws-eusc", "eusc-de-east-1"),
    ],
)
@pytest.mark.parametrize("qualifier", [None, "$LATEST", "live", "12"])
def test_a_full_arn_is_read_in_every_partition(partition: str, region: str, qualifier: str | None) -> None:
    arn = f"arn:{partition}:lambda:{region}:{ACCOUNT}:function:f" + (f":{qualifier}" if qualifier else "")
    assert parse_function(arn) == FunctionTarget(
        name="f", region=region, account=ACCOUNT, partition=partition, qualifier=qualifier
    )


def test_spaces_around_an_identifier_are_free() -> None:
    assert parse_function(" thumbnail \n") == FunctionTarget(name="thumbnail")


@pytest.mark.parametrize(
    "path",
    [
        "./x",
        "examples/x",
        "../x",
        ".",
        "~",
        "/srv/x",
        "C:\\code\\x",
        "x/",
        "bundle.zip",
        "handler.py",
        "my code/x",
        "./",
    ],
)
def test_a_path_is_told_apart_and_the_hint_is_to_add_local(path: str) -> None:
    with pytest.raises(IdentifierError, match="looks like a folder") as caught:
        parse_function(path)
    assert caught.value.hint.endswith("--local")


def test_the_hint_stays_on_one_line_whatever_the_path() -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_function("a\n/b")
    assert "\n" not in caught.value.message + caught.value.hint


def test_the_command_in_the_hint_can_be_pasted() -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_function("my code/x")
    assert "tuner run 'my code/x' --local" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "a" * 65,
        "f:" + "q" * 129,
        "f:",
        ":f",
        "f:a:b",
        "f.g",
        "f g",
        "fünf",
        "f:$latest",
        "$LATEST",
        "f\nx",
        f"{ACCOUNT}:f",
        "eu-west-1:f",
        f"eu-west-1:{ACCOUNT}:f",
        "12345678901:function:f",
        "eu-west-1:function:f",
        "arn:aws:lambda:eu-west-1:123456789012:layer:f",
        "arn:aws:lambda:eu-west-1:123456789012:function:",
        "arn:aws:lambda:eu-west-1:function:f",
        "arn:aws:lambda::123456789012:function:f",
        "arn:aws:lambda:function:f",
        "arn:aws:lambda:123456789012:function:f",
        "arn:aws:s3:::bucket/key",
        "arn:gcp:lambda:eu-west-1:123456789012:function:f",
        "https://abc.lambda-url.eu-west-1.on.aws/",
    ],
)
def test_anything_else_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_function(text)
    assert "arn:aws:lambda:eu-west-1:123456789012:function:my-function" in caught.value.hint
    assert "\n" not in caught.value.message
