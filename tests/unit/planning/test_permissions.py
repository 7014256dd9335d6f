"""The policy of each command: nothing but its function, its copies, and what has no resource of its own."""

from __future__ import annotations

import re

import pytest

from tuner.inputs.identifiers import parse_function
from tuner.planning.permissions import COPIES, Command, Wants, grants, policy
from tuner.planning.plan import COPY_PREFIX

ARN = "arn:aws-cn:lambda:cn-north-1:123456789012:function:f"
NO_RESOURCE = {
    "lambda:GetAccountSettings", "lambda:ListEventSourceMappings", "lambda:ListFunctions",
    "logs:GetQueryResults", "logs:StopQuery", "logs:DescribeLogGroups",
}  # fmt: skip
EVERYTHING = Wants(clone=True, copies=True, checks=True, role="arn:aws-cn:iam::123456789012:role/r")


def allowed(command: Command, wants: Wants = EVERYTHING) -> dict[str, list[str]]:
    """Resources by action."""
    found: dict[str, list[str]] = {}
    for grant in grants(command, parse_function(ARN), wants):
        found.setdefault(grant.action, []).append(grant.resource)
    return found


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("wants", [Wants(), EVERYTHING, Wants(checks=True)])
def test_no_action_and_no_resource_is_wider_than_it_must_be(command: Command, wants: Wants) -> None:
    for action, resources in allowed(command, wants).items():
        assert "*" not in action
        for resource in resources:
            assert resource != "*" or action in NO_RESOURCE
            assert resource == "*" or "123456789012" in resource
            assert resource == "*" or resource.startswith("arn:aws-cn:")


def test_copies_are_named_as_the_plan_names_them() -> None:
    assert f"{COPY_PREFIX}*" == COPIES


@pytest.mark.parametrize("command", Command)
def test_the_function_itself_can_never_be_deleted(command: Command) -> None:
    for wants in (Wants(), EVERYTHING):
        assert ARN not in allowed(command, wants).get("lambda:DeleteFunction", [])


def test_measuring_copies_changes_nothing_of_the_function() -> None:
    of_function = {
        action for action, resources in allowed(Command.RUN).items() if ARN in resources or f"{ARN}:*" in resources
    }
    assert {action for action in of_function if not re.search(r":(Get|List)", action)} == set()


def test_recovering_copies_reads_the_tags_and_deletes_nothing_that_is_not_named_as_a_copy() -> None:
    found = allowed(Command.RECOVER, Wants(copies=True))
    copies = f"{ARN.rpartition(':')[0]}:{COPIES}"
    assert copies in found["lambda:GetFunction"]
    assert copies in found["lambda:ListTags"]
    assert found["lambda:DeleteFunction"] == [f"{ARN}:*", copies]
    assert found["lambda:ListFunctions"] == ["*"]
    assert "lambda:ListFunctions" not in allowed(Command.RECOVER, Wants(clone=True))


@pytest.mark.parametrize("command", [Command.RUN, Command.COLD_START])
def test_what_changes_the_memory_of_a_function_may_mark_it(command: Command) -> None:
    found = allowed(command, Wants())
    assert all(ARN in found[f"lambda:{action}"] for action in ("TagResource", "UntagResource", "ListTags"))


def test_recover_may_see_a_mark_and_take_it_off_but_not_put_one_on() -> None:
    found = allowed(Command.RECOVER, Wants())
    assert all(ARN in found[f"lambda:{action}"] for action in ("UntagResource", "ListTags"))
    assert "lambda:TagResource" not in found


def test_a_gate_of_two_versions_changes_nothing_at_all() -> None:
    assert set(allowed(Command.GATE, Wants())) == {"lambda:GetFunctionConfiguration", "lambda:InvokeFunction"}


def test_apply_may_change_the_configuration_and_nothing_else() -> None:
    actions = set(allowed(Command.APPLY, Wants()))
    assert {action for action in actions if not re.search(r":(Get|List)", action)} == {
        "lambda:UpdateFunctionConfiguration"
    }


def test_only_lambda_may_be_passed_the_role() -> None:
    statements = policy(grants(Command.RUN, parse_function(ARN), EVERYTHING))["Statement"]
    assert isinstance(statements, list)
    [statement] = [one for one in statements if "iam:PassRole" in one["Action"]]
    assert statement["Action"] == ["iam:PassRole"]
    assert statement["Resource"] == ["arn:aws-cn:iam::123456789012:role/r"]
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}


def test_a_report_needs_nothing_until_it_is_published() -> None:
    assert allowed(Command.REPORT, Wants()) == {}
    assert allowed(Command.REPORT, Wants(bucket="s3://b/reports/"))["s3:PutObject"] == ["arn:aws-cn:s3:::b/reports/*"]


def test_a_name_without_its_account_is_of_any() -> None:
    [grant, *_] = grants(Command.RUN, parse_function("f"), Wants())
    assert grant.resource == "arn:aws:lambda:*:*:function:f"
