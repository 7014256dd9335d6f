"""What each command asks of IAM, and why: the smallest policy that lets it do its work.

What a command needs and what only makes its notices better are kept apart. Actions and resources as in the service
authorization reference of AWS Lambda; a test runs every command under exactly its policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tuner.model import FunctionTarget

ANY = "*"
COPIES = "tuner-*"
"""The names of temporary copies (``planning.plan.COPY_PREFIX``; importing that would make ``--help`` slower)."""


class Command(StrEnum):
    """Commands that AWS is asked by."""

    RUN = "run"
    COLD_START = "cold-start"
    GATE = "gate"
    APPLY = "apply"
    RECOVER = "recover"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one resource, and what it is for."""

    action: str
    resource: str
    purpose: str
    optional: bool = False
    """Without it the command works, and says what it could not look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """What the policy is to cover beside the command itself."""

    clone: bool = False
    """Temporary copies: --clone, and a second architecture."""
    copies: bool = False
    """recover --copies: also the copies that other machines left."""
    checks: bool = False
    """What is looked at before a run for its notices, and log lines that came late."""
    from_logs: bool = False
    """cold-start --from-logs."""
    role: str | None = None
    """The function's execution role, which copies get; None allows every role of the account to be passed."""
    bucket: str | None = None
    """``bucket/prefix`` of report --publish."""


def grants(command: Command, function: FunctionTarget, wants: Wants) -> tuple[Grant, ...]:
    """Everything the command needs of IAM, and with ``checks`` what is of use to it."""
    arn = function_arn(function)
    needed = {
        Command.RUN: _measuring,
        Command.COLD_START: _studying,
        Command.GATE: _comparing,
        Command.APPLY: _applying,
        Command.RECOVER: _recovering,
        Command.REPORT: _reporting,
    }[command](arn, wants)
    checks = _checks(arn) if wants.checks and command in (Command.RUN, Command.COLD_START) else ()
    return (*needed, *checks)


def policy(granted: Iterable[Grant]) -> dict[str, object]:
    """The grants as an IAM policy: resources with the same actions share a statement."""
    actions: dict[str, set[str]] = {}
    for grant in granted:
        actions.setdefault(grant.resource, set()).add(grant.action)
    resources: dict[tuple[str, ...], list[str]] = {}
    for resource, allowed in actions.items():
        resources.setdefault(tuple(sorted(allowed)), []).append(resource)
    return {"Version": "2012-10-17", "Statement": [_statement(*pair) for pair in resources.items()]}


def function_arn(function: FunctionTarget) -> str:
    """Its ARN; what the identifier leaves out is any."""
    parts = function.partition or "aws", function.region or ANY, function.account or ANY
    return f"arn:{parts[0]}:lambda:{parts[1]}:{parts[2]}:function:{function.name}"


def _statement(actions: tuple[str, ...], resources: list[str]) -> dict[str, object]:
    statement: dict[str, object] = {"Effect": "Allow", "Action": list(actions), "Resource": sorted(resources)}
    if actions == ("iam:PassRole",):
        statement["Condition"] = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    return statement


def _measuring(arn: str, wants: Wants) -> tuple[Grant, ...]:
    reading = (
        Grant("lambda:GetFunction", arn, "reads what the function is today"),
        Grant("lambda:ListVersionsByFunction", arn, "tells its own versions from yours"),
    )
    return (*reading, *(_copying(arn, wants) if wants.clone else _publishing(arn)))


def _publishing(arn: str) -> tuple[Grant, ...]:
    return (
        Grant("lambda:ListTags", arn, "looks whether another run has marked the function"),
        Grant("lambda:TagResource", arn, "marks the function while its memory is changed"),
        Grant("lambda:UntagResource", arn, "removes the mark again"),
        Grant("lambda:GetFunction", f"{arn}:*", "waits until a version is ready"),
        Grant("lambda:UpdateFunctionConfiguration", arn, "sets each memory size, and the old one again"),
        Grant("lambda:PublishVersion", arn, "publishes a version of each size"),
        Grant("lambda:DeleteFunction", f"{arn}:*", "deletes those versions again"),
        Grant("lambda:InvokeFunction", f"{arn}:*", "invokes those versions"),
    )


def _copying(arn: str, wants: Wants) -> tuple[Grant, ...]:
    prefix, _, _ = arn.rpartition(":")
    copy = f"{prefix}:{COPIES}"
    account, region, partition = arn.split(":")[4], arn.split(":")[3], arn.split(":")[1]
    role = wants.role or f"arn:{partition}:iam::{account}:role/*"
    actions = (
        ("CreateFunction", "makes the temporary copy"),
        ("TagResource", "marks it as tuner's"),
        ("ListTags", "makes sure that it is tuner's before it is deleted"),
        ("GetFunction", "waits for the copy"),
        ("ListVersionsByFunction", "lists its versions"),
        ("UpdateFunctionConfiguration", "sets each memory size"),
        ("PublishVersion", "publishes a version of each size"),
        ("DeleteFunction", "deletes the copy"),
        ("InvokeFunction", "invokes its versions"),
    )
    logs = f"arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{COPIES}"
    return (
        Grant("lambda:GetFunction", f"{arn}:*", "reads the version or alias to be copied, if one was named"),
        *(Grant(f"lambda:{action}", copy, purpose) for action, purpose in actions),
        Grant("iam:PassRole", role, "gives the copy the function's role"),
        Grant("logs:DeleteLogGroup", logs, "deletes the copy's log group", optional=True),
    )


def _studying(arn: str, wants: Wants) -> tuple[Grant, ...]:
    if not wants.from_logs:
        return _measuring(arn, wants)
    _, partition, _, region, account, _, name = arn.split(":")
    group = f"arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{name}"
    return (
        Grant("lambda:GetFunctionConfiguration", arn, "reads memory, timeout and log group"),
        Grant("logs:StartQuery", f"{group}:*", "asks for the REPORT lines"),
        Grant("logs:GetQueryResults", ANY, "reads the answer"),
        Grant("logs:StopQuery", ANY, "ends a query on Ctrl-C", optional=True),
        Grant("logs:DescribeLogGroups", ANY, "says beforehand what the query scans", optional=True),
    )


def _comparing(arn: str, wants: Wants) -> tuple[Grant, ...]:
    both = (arn, f"{arn}:*")
    reading = tuple(Grant("lambda:GetFunctionConfiguration", side, "reads base and head") for side in both)
    if wants.clone:
        return (*reading, Grant("lambda:GetFunction", arn, "reads the code to be copied"), *_copying(arn, wants))
    return (*reading, *(Grant("lambda:InvokeFunction", side, "invokes base and head") for side in both))


def _applying(arn: str, wants: Wants) -> tuple[Grant, ...]:
    del wants
    return (
        Grant("lambda:GetFunction", arn, "compares the function with what was measured, and waits until it settles"),
        Grant("lambda:ListVersionsByFunction", arn, "looks for unfinished runs"),
        Grant("lambda:UpdateFunctionConfiguration", arn, "sets the memory size"),
    )


def _recovering(arn: str, wants: Wants) -> tuple[Grant, ...]:
    return (
        Grant("lambda:GetFunction", arn, "reads the memory size it has now"),
        Grant("lambda:UpdateFunctionConfiguration", arn, "gives it its own memory size again"),
        Grant("lambda:ListVersionsByFunction", arn, "finds versions of the unfinished run"),
        Grant("lambda:GetFunction", f"{arn}:*", "asks each of them whose it is"),
        Grant("lambda:DeleteFunction", f"{arn}:*", "deletes those versions"),
        Grant("lambda:ListTags", arn, "sees the mark that proves which function was measured"),
        Grant("lambda:UntagResource", arn, "removes the mark again"),
        *(_removing_copies(arn, wants) if wants.clone or wants.copies else ()),
        *((Grant("lambda:ListFunctions", ANY, "finds the copies that other machines left"),) if wants.copies else ()),
    )


def _removing_copies(arn: str, wants: Wants) -> tuple[Grant, ...]:
    actions = {"lambda:GetFunction", "lambda:ListTags", "lambda:DeleteFunction", "logs:DeleteLogGroup"}
    return tuple(
        grant for grant in _copying(arn, wants) if grant.action in actions and grant.resource.endswith(COPIES)
    )


def _reporting(arn: str, wants: Wants) -> tuple[Grant, ...]:
    """A report is made on this machine; only --publish asks AWS for something."""
    if wants.bucket is None:
        return ()
    partition = arn.split(":")[1]
    where = f"arn:{partition}:s3:::{wants.bucket.removeprefix('s3://').rstrip('/')}/*"
    return (
        Grant("s3:PutObject", where, "uploads the page"),
        Grant("s3:GetObject", where, "lets the link that it prints work"),
    )


def _checks(arn: str) -> tuple[Grant, ...]:
    _, partition, _, region, account, _, name = arn.split(":")
    group = f"arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{name}:*"
    return tuple(
        Grant(action, resource, purpose, optional=True)
        for action, resource, purpose in (
            ("lambda:GetAccountSettings", ANY, "keeps clear of the concurrency limit"),
            ("lambda:ListEventSourceMappings", ANY, "says which queues and streams reach $LATEST"),
            ("lambda:GetFunctionUrlConfig", arn, "says whether a URL reaches $LATEST"),
            ("lambda:GetPolicy", arn, "says which services reach $LATEST"),
            ("lambda:ListAliases", arn, "says which aliases point to $LATEST"),
            ("lambda:ListProvisionedConcurrencyConfigs", arn, "says whether environments are kept provisioned"),
            ("logs:FilterLogEvents", group, "finds a REPORT that did not come with the answer"),
        )
    )
