"""What is checked on AWS before the first mutation: that everything can be undone, and who would notice."""

from __future__ import annotations

from tuner.engine.ports import ControlPlane, Exposure
from tuner.errors import AccessError, TargetError
from tuner.model import Notice, Plan, Severity


async def preflight(control: ControlPlane, plan: Plan) -> tuple[Notice, ...]:
    """Notices about what a run would touch. Raises AccessError when versions could be published but not deleted,
    TargetError when another run on the function is going on or was left somewhere else."""
    if len(plan.copies) == len({cell.architecture for cell in plan.cells}):
        return ()  # everything happens on copies: the function itself is only read
    name = plan.function.name
    _refuse_other_runs(plan)
    if not await control.may_delete_versions(name):
        raise AccessError(
            f"These credentials may not call lambda:DeleteFunction on versions of {name}: what a run publishes could "
            "not be removed.",
            hint=f"Allow lambda:DeleteFunction on {plan.function.arn}:*, or add --clone where copies may be deleted.",
        )
    return exposure_notices(await control.exposure(name), name)


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


def _refuse_other_runs(plan: Plan) -> None:
    """Our own unfinished runs are known by their journals; those of other machines only by their versions."""
    name = plan.function.name
    if plan.function.tuner_runs:
        raise TargetError(
            f"{name} has versions of another tuner run ({plan.function.tuner_runs[0]}): it is going on elsewhere, or "
            "was killed there.",
            hint=f"Wait for it, or type `tuner recover {name}` to delete what it left.",
        )
