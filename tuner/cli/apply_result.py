"""``tuner run --apply``: the size that was just found, set on the function, or why it is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tuner.aws.control import LambdaControlPlane
from tuner.cli.ask import askable
from tuner.cli.place import Place
from tuner.errors import ExitCode, UsageError
from tuner.model import Report, RunRequest


def check_apply(*, local: bool, yes: bool) -> None:
    """UsageError before anything is spent, where in the end nothing could be changed."""
    if local:
        raise UsageError(
            "--apply changes a function on AWS; with --local there is none.",
            hint="Leave it out, and type `tuner apply REPORT --function NAME` afterwards.",
        )
    if not (yes or askable()):
        raise UsageError(
            "--apply asks before it changes the function, and nobody can be asked here.",
            hint="Add --yes to change it without being asked.",
        )


async def apply_result(
    control: LambdaControlPlane, place: Place, request: RunRequest, report: Report, code: ExitCode, *, yes: bool
) -> None:
    """Set the recommended size as ``tuner apply`` does, or say why not, on standard error: the report has the other.

    ``code`` is how the run ended.
    """
    obstacle = next(obstacles(request, report, code), None)
    if obstacle is not None:
        print(f"Not applied: {obstacle}.", file=sys.stderr)
        return
    from tuner.cli.apply import set_recommended

    if report.recommendation is None:
        raise AssertionError("without a recommendation there is an obstacle")
    await set_recommended(
        control,
        place.target,
        report,
        report.recommendation,
        endpoint_url=place.access.named_endpoint_url,
        yes=yes,
        out=sys.stderr,
    )


def obstacles(request: RunRequest, report: Report, code: ExitCode) -> Iterator[str]:
    """Half sentences, most important first; none where the run decided on a size that the function can be given."""
    found, now = report.recommendation, report.target.current.architecture
    if code is ExitCode.INTERRUPTED:
        yield "the run was interrupted"
    if found is None:
        yield "no size was recommended"
        return
    size = f"{found.memory_mb} MB"
    if code is not ExitCode.OK:
        yield f"{size} is not shown to keep every limit"
    if not found.decided:
        yield f"the data cannot tell {size} from its rivals"
    if request.confirm and not found.confirmed:
        yield f"{size} was not confirmed on fresh environments"
    if found.architecture is not now:
        yield f"{size} is a size for {found.architecture}, the function is {now}: changing that takes a deployment"
