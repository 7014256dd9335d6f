"""CloudWatch Logs: the REPORT that did not come with the answer, and the log group of a copy."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tuner.aws.threads import BlockingCalls
from tuner.aws.translate import error_code, error_message
from tuner.model import Notice, Severity

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

LOOKUP_PATIENCE_S = 12.0
"""Log events appear a few seconds after the invocation."""
LOOKUP_INTERVAL_S = 1.5
LOOKUP_THREADS = 2
CLOCK_SKEW_MS = 60_000


class LogReader:
    """``engine.ports.LogLookup`` over CloudWatch Logs. After the first refusal it stops asking."""

    def __init__(self, client: CloudWatchLogsClient) -> None:
        self._client = client
        self._calls = BlockingCalls("logs", LOOKUP_THREADS)
        self._allowed = True

    async def report_line(self, function: str, request_id: str, started_at: datetime) -> str | None:
        if not self._allowed:
            return None
        return await self._calls.run(lambda: self._find(f"/aws/lambda/{function}", request_id, started_at))

    def close(self) -> None:
        self._calls.close()
        self._client.close()

    def _find(self, group: str, request_id: str, started_at: datetime) -> str | None:
        deadline_s = time.monotonic() + LOOKUP_PATIENCE_S
        while self._allowed and time.monotonic() < deadline_s:
            try:
                answer = self._client.filter_log_events(
                    logGroupName=group,
                    startTime=int(started_at.timestamp() * 1000) - CLOCK_SKEW_MS,
                    filterPattern=f'"{request_id}"',
                )
            except (ClientError, BotoCoreError):
                self._allowed = False  # no permission, no log group, no endpoint: the rows stay marked
                return None
            lines = [event["message"] for event in answer["events"] if _is_report(event["message"])]
            if lines:
                return lines[-1]
            time.sleep(LOOKUP_INTERVAL_S)
        return None


def delete_log_group(client: CloudWatchLogsClient, function: str) -> tuple[Notice, ...]:
    """Remove the log group that a copy has made; a notice where that is not allowed."""
    group = f"/aws/lambda/{function}"
    try:
        client.delete_log_group(logGroupName=group)
    except ClientError as error:
        if error_code(error) == "ResourceNotFoundException":
            return ()
        return (_left_notice(group, error_message(error)),)
    except BotoCoreError as error:
        return (_left_notice(group, str(error)),)
    return ()


def _is_report(message: str) -> bool:
    return message.startswith("REPORT ") or '"platform.report"' in message


def _left_notice(group: str, reason: str) -> Notice:
    return Notice(
        code="log-group-left",
        severity=Severity.WARNING,
        message=f"The log group {group} could not be deleted: {reason}",
        remedy=f"aws logs delete-log-group --log-group-name {group}",
    )
