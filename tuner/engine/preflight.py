"""What is checked on AWS before the first mutation: that it is allowed, can be undone, and who would notice.

Nothing here changes anything. What is missing is said at once, as one list.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuner.engine.ports import ControlPlane, Exposure, Permission
from tuner.errors import PermissionsMissingError, RunInProgressError
from tuner.model import FULL_VCPU_MB, Copy, FunctionSnapshot, Notice, Plan, Severity

SHORT_TIMEOUT_S = 3
"""Lambda's default timeout: nobody has thought about it for this function."""


async def preflight(control: ControlPlane, plan: Plan) -> tuple[Notice, ...]:
    """Notices about what a run would touch. Raises PermissionsMissingError with everything that IAM would refuse,
    TargetError when another run on the function is going on or was left somewhere else."""
    function = plan.function
    touched = touches_function(plan)
    if touched:
        _refuse_other_runs(function)
    permissions: list[Permission] = []
    if touched:
        permissions += await control.permissions(function.arn, revisions=function.revision_id is not None)
    if plan.copies:
        permissions += await control.permissions(_arn_of_copy(function, plan.copies[0]), revisions=True, copy=True)
    require(permissions)
    notices = list(timeout_notices(plan))
    if touched:
        notices += exposure_notices(await control.exposure(function.name), function.name)
    if function.versions:
        provisioned = await control.provisioned_concurrency(function.name)
        notices += provisioned_notices(provisioned, function.name)
    return tuple(notices)


def touches_function(plan: Plan) -> bool:
    """Whether versions of the function itself are published. The arms of a comparison are invoked as they are, unless
    they are copies."""
    return not plan.arms and len(plan.copies) < len({cell.architecture for cell in plan.cells})


def require(permissions: Sequence[Permission]) -> None:
    """Raises PermissionsMissingError if any of ``permissions`` is known to be refused, naming all that are."""
    missing = [permission for permission in permissions if permission.granted is False]
    if not missing:
        return
    lines = [f"  {one.action} on {one.resource} ({one.purpose})" for one in missing]
    count = "permission" if len(missing) == 1 else f"{len(missing)} permissions"
    raise PermissionsMissingError(
        "\n".join([f"These credentials lack the {count} that this run needs:", *lines]),
        hint="Nothing was changed. Allow what is listed (see `tuner iam-policy`), then run this again.",
    )


def timeout_notices(plan: Plan) -> tuple[Notice, ...]:
    """Whether the smallest size is likely to run into the function's timeout: code that computes takes longer there
    in proportion to the memory, and nobody knows yet how long it takes today."""
    function, smallest_mb = plan.function, min(cell.memory_mb for cell in plan.cells)
    if function.timeout_s > SHORT_TIMEOUT_S or smallest_mb >= min(function.memory_mb, FULL_VCPU_MB):
        return ()
    factor = min(function.memory_mb, FULL_VCPU_MB) / smallest_mb
    return (
        Notice(
            code="timeout-short",
            severity=Severity.WARNING,
            message=f"{function.name} has a timeout of {function.timeout_s} s; code that computes takes {factor:.1f} "
            f"times as long at {smallest_mb} MB as at {function.memory_mb} MB, and sizes that run into the timeout "
            "are no candidates.",
            remedy="Raise the timeout first if calls take longer than "
            f"{function.timeout_s / factor:.1g} s today, or leave out the smallest sizes.",
        ),
    )


def provisioned_notices(provisioned: int | None, name: str) -> tuple[Notice, ...]:
    """``provisioned`` is None where it could not be read."""
    if provisioned == 0:
        return ()
    if provisioned is None:
        return (
            Notice(
                code="provisioned-unchecked",
                severity=Severity.INFO,
                message=f"Could not look for provisioned concurrency of {name}.",
                remedy="Allow lambda:ListProvisionedConcurrencyConfigs; where there is some, costs are other ones.",
            ),
        )
    return (
        Notice(
            code="provisioned-concurrency",
            severity=Severity.WARNING,
            message=f"{name} keeps {provisioned} environments provisioned. This run measures versions without them: "
            "their price, and that of idle memory, is not in these costs, and their calls meet no cold start.",
            remedy="Memory that is provisioned is paid for while it waits: weigh a larger size against that, too.",
        ),
    )


def exposure_notices(exposure: Exposure, name: str) -> tuple[Notice, ...]:
    notices = []
    if exposure.sources:
        notices.append(
            Notice(
                code="live-traffic",
                severity=Severity.WARNING,
                message=f"$LATEST of {name} is reached by {', '.join(exposure.sources)}: while versions are being "
                "published, that traffic meets other memory sizes.",
                remedy="Add --clone to measure a temporary copy instead.",
            )
        )
    if exposure.unchecked:
        notices.append(
            Notice(
                code="exposure-unchecked",
                severity=Severity.INFO,
                message=f"Could not look for {', '.join(exposure.unchecked)}: whether live traffic reaches "
                f"$LATEST of {name} is not fully known.",
                remedy="Add --clone if it may.",
            )
        )
    return tuple(notices)


def _arn_of_copy(function: FunctionSnapshot, copy: Copy) -> str:
    """Of a copy that is still to be made: in the same account and region."""
    return ":".join([*function.arn.split(":")[:6], copy.name])


def _refuse_other_runs(function: FunctionSnapshot) -> None:
    """Our own unfinished runs are known by their journals; those of other machines by what they left on it."""
    if function.tuner_runs:
        raise RunInProgressError(
            f"{function.name} carries the mark or versions of another tuner run ({function.tuner_runs[0]}): it is "
            "going on elsewhere, or was killed there.",
            hint=f"Wait for it, or type `tuner recover {function.name}` to delete what it left.",
        )
