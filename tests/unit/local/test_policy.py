"""IAM policies, as far as they are understood: what is allowed, and in which words the rest is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuner.errors import UsageError
from tuner.local.faults import ApiError
from tuner.local.http import Request
from tuner.local.identifiers import Namespace
from tuner.local.policy import Need, Policy, needs, parse_policy, read_policy

NAMESPACE = Namespace()
MINE = NAMESPACE.arn("mine")


def policy(*statements: dict[str, Any]) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str | list[str] = "*", **members: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **members}


def refusal(policy: Policy, action: str, resource: str = MINE) -> str | None:
    try:
        policy.check(Need(action, resource), NAMESPACE)
    except ApiError as error:
        return f"{error.status} {error.code} {error.message}"
    return None


def test_without_a_policy_everything_is_allowed() -> None:
    assert refusal(Policy(), "lambda:DeleteFunction") is None


@pytest.mark.parametrize(
    "pattern", ["lambda:GetFunction", "lambda:Get*", "LAMBDA:getfunction", "lambda:?etFunction", "*"]
)
def test_an_action_is_allowed_by_name_or_wildcard_whatever_its_case(pattern: str) -> None:
    assert refusal(policy(allow(pattern)), "lambda:GetFunction") is None


@pytest.mark.parametrize("pattern", ["lambda:Get", "lambda:GetFunctions", "s3:*", "lambda:[G]etFunction"])
def test_other_actions_are_refused_in_the_words_of_iam(pattern: str) -> None:
    assert refusal(policy(allow(pattern)), "lambda:GetFunction") == (
        "403 AccessDeniedException User: arn:aws:iam::000000000000:user/local is not authorized to perform: "
        "lambda:GetFunction on resource: "
        f"{MINE} because no identity-based policy allows the lambda:GetFunction action"
    )


def test_a_version_is_another_resource_than_its_function() -> None:
    only_function, versions = policy(allow("lambda:*", MINE)), policy(allow("lambda:*", [MINE, f"{MINE}:*"]))
    assert refusal(only_function, "lambda:InvokeFunction", f"{MINE}:3") is not None
    assert refusal(versions, "lambda:InvokeFunction", f"{MINE}:3") is None
    assert refusal(versions, "lambda:InvokeFunction", NAMESPACE.arn("MINE")) is not None


def test_an_explicit_deny_wins_and_says_so() -> None:
    denied = policy(allow("*"), {"Effect": "Deny", "Action": "lambda:Publish*", "Resource": "*"})
    assert "with an explicit deny in an identity-based policy" in str(refusal(denied, "lambda:PublishVersion"))
    assert refusal(denied, "lambda:GetFunction") is None


def request(body: object = None, **query: str) -> Request:
    sent = b"" if body is None else json.dumps(body).encode()
    return Request(method="POST", target="/", path=(), query=query, headers={}, body=sent, received_s=0.0)


@pytest.mark.parametrize(
    ("operation", "function", "query", "expected"),
    [
        ("Invoke", "mine", {}, Need("lambda:InvokeFunction", MINE)),
        ("Invoke", "mine", {"Qualifier": "3"}, Need("lambda:InvokeFunction", f"{MINE}:3")),
        ("GetFunction", "mine:7", {}, Need("lambda:GetFunction", f"{MINE}:7")),
        ("ListTags", MINE, {}, Need("lambda:ListTags", MINE)),
        ("ListFunctions", None, {}, Need("lambda:ListFunctions", "*")),
        ("GetAccountSettings", None, {}, Need("lambda:GetAccountSettings", "*")),
    ],
)
def test_an_operation_needs_the_action_and_resource_that_iam_names(
    operation: str, function: str | None, query: dict[str, str], expected: Need
) -> None:
    assert list(needs(operation, function, request(**query), NAMESPACE)) == [expected]


def test_creating_a_function_needs_its_role_and_its_tags_too() -> None:
    body = {"FunctionName": "tuner-mine-1", "Role": "arn:aws:iam::0:role/r", "Tags": {"tuner:run": "1"}}
    made = NAMESPACE.arn("tuner-mine-1")
    assert list(needs("CreateFunction", None, request(body), NAMESPACE)) == [
        Need("lambda:CreateFunction", made),
        Need("iam:PassRole", "arn:aws:iam::0:role/r"),
        Need("lambda:TagResource", made),
    ]


def test_the_condition_of_passing_a_role_to_lambda_is_understood() -> None:
    condition = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    assert refusal(policy(allow("iam:PassRole", Condition=condition)), "iam:PassRole") is None


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "with a Statement"),
        ({"Statement": ["lambda:*"]}, "a statement is a JSON object"),
        ({"Statement": {"Effect": "Allow", "NotAction": "x", "Resource": "*"}}, "NotAction is not understood"),
        ({"Statement": {"Effect": "allow", "Action": "x", "Resource": "*"}}, "Effect is Allow or Deny"),
        ({"Statement": {"Effect": "Allow", "Action": 5, "Resource": "*"}}, "Action is a text"),
        ({"Statement": {"Effect": "Allow", "Action": "x"}}, "Resource is a text"),
        ({"Statement": allow("x", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})}, "the only condition"),
    ],
)
def test_a_policy_that_is_not_understood_is_refused_rather_than_misread(
    tmp_path: Path, document: object, said: str
) -> None:
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(document))
    with pytest.raises(UsageError, match=said):
        read_policy(file)


def test_a_policy_that_cannot_be_read_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_policy(tmp_path / "missing.json")
