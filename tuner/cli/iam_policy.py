"""``tuner iam-policy``: the smallest policy for a command, to be pasted or piped."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

from tuner.cli.display import columns
from tuner.errors import ExitCode, UsageError
from tuner.inputs.identifiers import parse_function
from tuner.planning.permissions import Command, Grant, Wants, function_arn, grants, policy
from tuner.render.table import render_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOptions:
    """``tuner iam-policy`` as it was typed."""

    command: Command
    function: str
    wants: Wants
    explain: bool


def iam_policy_command(options: PolicyOptions) -> int:
    """Print the policy, or why each part of it is needed; returns the exit code."""
    _check(options)
    target = parse_function(options.function)
    granted = grants(options.command, target, options.wants)
    if not granted:
        print("`tuner report` asks nothing of AWS; with --publish it uploads a page.", file=sys.stderr)
        print("Add --bucket BUCKET/PREFIX for the policy of that.", file=sys.stderr)
    if options.explain:
        print(_explained(granted), end="")
    else:
        print(json.dumps(policy(granted), indent=2))
    if "*" in function_arn(target).split(":")[3:5]:
        print("Give the function's whole ARN for a policy of one region and account.", file=sys.stderr)
    return ExitCode.OK


def _check(options: PolicyOptions) -> None:
    wants, command = options.wants, options.command
    if wants.from_logs and command is not Command.COLD_START:
        raise UsageError("--from-logs is of `tuner cold-start`.", hint="Leave it out, or ask for cold-start.")
    if wants.copies and command is not Command.RECOVER:
        raise UsageError("--copies is of `tuner recover`.", hint="Leave it out, or ask for recover.")
    if wants.bucket and command is not Command.REPORT:
        raise UsageError("--bucket is of `tuner report --publish`.", hint="Leave it out, or ask for report.")
    if wants.role and not wants.clone:
        raise UsageError("--role is the role that a copy gets.", hint="Add --clone, or leave it out.")


def _explained(granted: tuple[Grant, ...]) -> str:
    rows = [
        (grant.action, f"{grant.purpose}{' (works without)' if grant.optional else ''}; on {grant.resource}")
        for grant in granted
    ]
    return render_columns(("action", "what for"), rows, width=columns())
