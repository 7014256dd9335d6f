"""``tuner iam-policy``."""

from __future__ import annotations

from typing import Annotated

import typer

from tuner.planning.permissions import Command


def iam_policy(
    command: Annotated[Command, typer.Argument(help="The command that is to be allowed.", metavar="COMMAND")],
    function: Annotated[
        str, typer.Argument(help="The function's ARN; with a name alone the policy is for any account.")
    ],
    clone: Annotated[
        bool, typer.Option("--clone", help="With temporary copies: --clone, or a second architecture.")
    ] = False,
    copies: Annotated[bool, typer.Option("--copies", help="For `tuner recover --copies`.")] = False,
    role: Annotated[
        str | None, typer.Option(help="ARN of the function's role, which a copy gets; without it any role.")
    ] = None,
    checks: Annotated[
        bool, typer.Option("--checks", help="Also what a run looks at for its notices: triggers, limits, late logs.")
    ] = False,
    from_logs: Annotated[bool, typer.Option("--from-logs", help="For `tuner cold-start --from-logs`.")] = False,
    bucket: Annotated[
        str | None, typer.Option(metavar="BUCKET/PREFIX", help="For `tuner report --publish` to this place.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what each action is for, instead of the policy.")
    ] = False,
) -> None:
    """Print the smallest IAM policy that lets a command do its work on a function.

    Examples:

      tuner iam-policy run arn:aws:lambda:eu-central-1:123456789012:function:thumbnail > policy.json

      tuner iam-policy gate my-function --explain

      tuner iam-policy run my-function --clone --checks
    """
    from tuner.cli.iam_policy import PolicyOptions, iam_policy_command
    from tuner.planning.permissions import Wants

    wants = Wants(clone=clone, copies=copies, checks=checks, from_logs=from_logs, role=role, bucket=bucket)
    raise typer.Exit(
        iam_policy_command(PolicyOptions(command=command, function=function, wants=wants, explain=explain))
    )
