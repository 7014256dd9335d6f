"""Why a measurement has no result, by what came of its calls."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.errors import InvalidMeasurementError
from tuner.model import Outcome, Sample
from tuner.render.text import count


def nothing_measured(samples: Sequence[Sample]) -> InvalidMeasurementError:
    """For a run none of whose sizes has a duration and a cost of warm calls."""
    succeeded = [sample for sample in samples if sample.outcome is Outcome.OK]
    failed = [sample for sample in samples if sample.outcome not in (Outcome.OK, Outcome.UNREPORTED)]
    if not samples:
        return InvalidMeasurementError("No invocation was made.", hint="Raise --max-cost, --max-time or -n.")
    if succeeded:
        return _incomplete(succeeded, failed)
    if failed:
        return InvalidMeasurementError(
            f"{'Every' if len(failed) == len(samples) else 'No'} invocation "
            f"{'failed' if len(failed) == len(samples) else 'succeeded'}; {_first_failure(failed)}",
            hint="Make it succeed first: is it the right --payload? The function's log says more.",
        )
    return InvalidMeasurementError(
        "No invocation came back with a REPORT line, so nothing is known about its duration.",
        hint="Does the endpoint return log tails (LogType=Tail)? Lambda itself does.",
    )


def _incomplete(succeeded: Sequence[Sample], failed: Sequence[Sample]) -> InvalidMeasurementError:
    """Something is known, but not what a size is judged by."""
    others = f" {count(len(failed), 'other')} failed; {_first_failure(failed)}" if failed else ""
    calls = count(len(succeeded), "successful invocation")
    if all(sample.cold for sample in succeeded):
        one = len(succeeded) == 1
        only = "The only successful invocation was a cold start" if one else f"All {calls} were cold starts"
        return InvalidMeasurementError(
            f"{only}, and sizes are judged by warm calls.{others}",
            hint="Let it measure longer: raise --max-time, --max-invocations or --max-cost. "
            "`tuner cold-start` measures the cold starts themselves.",
        )
    return InvalidMeasurementError(
        f"There were {calls}, but no size has all that it is judged by: warm calls and, with --cold-fraction, a cold "
        f"start.{others}",
        hint="Let it measure longer: raise --max-time, --max-invocations or --max-cost.",
    )


def _first_failure(failed: Sequence[Sample]) -> str:
    first = failed[0]
    request = f", request {first.request_id}," if first.request_id else ""
    why = f"{first.error_type or first.outcome.value}: {first.error_message or 'no message'}"
    return f"the first{request} with {why}"
