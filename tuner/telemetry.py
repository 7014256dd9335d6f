"""Log tails to numbers: what Lambda wrote about an invocation, and how the invocation ended.

Lambda describes each invocation in its log, either as a line of text or as a JSON event::

    REPORT RequestId: <id>\\tDuration: 8.40 ms\\tBilled Duration: 9 ms\\tMemory Size: 128 MB\\tMax Memory Used: 66 MB
    {"time": "...", "type": "platform.report", "record": {"requestId": "...", "metrics": {"durationMs": 8.4, ...}}}

The tail that comes with an answer is the last 4 KB of that log. It may begin anywhere, and the function and its
extensions write into it too. So one pass over the text tells apart what may be a record from what cannot be one
(anything quoted, anything nested in somebody's own JSON document, anything a logger wrote), and only then are
fields read. Every step takes time linear in the text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from tuner.model import InvocationReport, Outcome

Record = Literal["REPORT", "INIT_REPORT", "RESTORE_REPORT"]

_RECORDS: Mapping[str, Record] = {
    "REPORT": "REPORT",
    "INIT_REPORT": "INIT_REPORT",
    "RESTORE_REPORT": "RESTORE_REPORT",
    "report": "REPORT",
    "initReport": "INIT_REPORT",
    "restoreReport": "RESTORE_REPORT",
}

# What a label of the text format fills, and in which unit its number must be.
_LABELS: Mapping[str, tuple[str, str | None]] = {
    "Duration": ("duration_ms", "ms"),
    "Billed Duration": ("billed_duration_ms", "ms"),
    "Memory Size": ("memory_size_mb", "MB"),
    "Max Memory Used": ("max_memory_used_mb", "MB"),
    "Init Duration": ("init_duration_ms", "ms"),
    "Restore Duration": ("restore_duration_ms", "ms"),
    "Billed Restore Duration": ("billed_restore_duration_ms", "ms"),
    "Status": ("status", None),
    "Error Type": ("error_type", None),
}

# Telemetry API, schema of platform.report, platform.initReport and platform.restoreReport.
_METRICS: Mapping[Record, Mapping[str, str]] = {
    "REPORT": {
        "durationMs": "duration_ms",
        "billedDurationMs": "billed_duration_ms",
        "memorySizeMB": "memory_size_mb",
        "maxMemoryUsedMB": "max_memory_used_mb",
        "initDurationMs": "init_duration_ms",
        "restoreDurationMs": "restore_duration_ms",
        "billedRestoreDurationMs": "billed_restore_duration_ms",
    },
    "INIT_REPORT": {"durationMs": "init_duration_ms"},
    "RESTORE_REPORT": {"durationMs": "restore_duration_ms"},
}

_TEXT_FIELDS: Mapping[Record, frozenset[str]] = {
    "REPORT": frozenset(name for name, _ in _LABELS.values()),
    "INIT_REPORT": frozenset({"init_duration_ms", "status", "error_type"}),
    "RESTORE_REPORT": frozenset({"restore_duration_ms", "status", "error_type"}),
}

_FAILED = frozenset({"error", "timeout", "failure"})
_STATUSES = frozenset({"success"}) | _FAILED

# A JSON string never holds a raw line break, and what follows it is a space or one of , : } ]. A quote that opens
# nothing of the kind is noise: skipped alone if another quote closes it, else with the rest of its line. Possessive
# repeats, and stepping over escapes outside strings as inside, keep hostile input linear.
_TOKEN = re.compile(
    r"""
      "type"\s*+:\s*+"platform\.(?P<event>report|initReport|restoreReport)"
    | "(?:[^"\\\n]++|\\.)*+"(?=[\s,:}\]]|\Z)
    | "(?=(?:[^"\\\n]++|\\.)*+")
    | "[^\n]*+
    | \\.
    | (?P<open>\{)
    | (?P<close>\})
    | (?<![A-Z_])(?P<head>REPORT(?=\s+RequestId:)|INIT_REPORT(?=\s)|RESTORE_REPORT(?=\s))
    | (?<![A-Z_])(?P<boundary>(?:START|END)\s+RequestId:)
    """,
    re.VERBOSE,
)

# The same heads in a text without quotes and escapes, where there is nothing else to find: four times as quick, and
# most tails are like that. What may stand before them is looked at afterwards.
_HEAD = re.compile(
    r"REPORT(?=\s+RequestId:)|INIT_REPORT(?=\s)|RESTORE_REPORT(?=\s)|START\s+RequestId:|END\s+RequestId:"
)
_BEFORE_NO_HEAD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ_")

_REQUEST_ID = re.compile(
    r"""\s+RequestId:
    (?: \s*+(?P<uuid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})
      | [^\S\n]*+(?!(?:Duration|Billed|Memory|Max|Init|Restore|Status|Error)\b)(?P<other>[^\s:]++)(?!:)
    )?""",
    re.VERBOSE,
)

_FIELD = re.compile(
    r"""
    (?P<label>[A-Z][a-z]++(?:\s++[A-Z][a-z]++){0,2}):
    (?: \s*+(?P<number>[0-9]{1,15}+(?:\.[0-9]{1,15}+)?+)\s*+(?P<unit>ms|MB)(?![a-z])
      | (?<=Status:)[^\S\n]*+(?P<status>[a-z]++)
      | (?<=Type:)[^\S\n]*+(?P<error>\w[\w.]*?)(?=XRAY\s|[^\w.]|\Z)
    )""",
    re.VERBOSE,
)

_PHASE = re.compile(r"Phase:[^\S\n]*+(init|invoke)\b")

_TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}(?![0-9a-f])")

# Only a whole record counts: a tail that ends inside it may have cut the trace id as well.
_XRAY = re.compile(
    rf"\s*+XRAY\s++TraceId:\s*+(?P<trace_id>{_TRACE_ID.pattern})"
    r"\s*+SegmentId:\s*+[0-9a-f]{16}\s*+Sampled:\s*+(?:true|false)"
)

# What loggers of the managed runtimes put before a message; Lambda's own records never carry a level.
_LOG_LEVEL = re.compile(r"(?:^|[\s\[(|<])(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL)(?=[\s\])|>:])")
_PROSE = re.compile(r"(?<!\S)[A-Za-z]{2,}[:,.]?(?!\S)")


def parse_log_tail(text: str, request_id: str | None = None) -> InvocationReport | None:
    """Read what the log tail says about an invocation; None where it says nothing. Never raises.

    With a ``request_id`` only a REPORT that carries that id is read: another invocation's numbers, and a REPORT
    whose id was removed, count as absent. Without one the last REPORT is read. A retried event repeats its id; the
    last REPORT is the one of the last attempt.

    An init that was repeated inside the invocation and failed has an INIT_REPORT beside the REPORT:
    ``init_failed``.

    Where there is no REPORT at all, the last INIT_REPORT or RESTORE_REPORT is returned, with ``record`` saying so
    and only its own fields: neither names an invocation. A number that is cut, negative, not finite or without its
    unit is absent, and absent stays None. Durations are in ms, memory in MB.
    """
    found = list(_records(text))
    reports = [record for record in found if record.report.record == "REPORT"]
    if reports:
        ours = [record for record in reports if request_id in (None, record.report.request_id)]
        if not ours:
            return None
        chosen = max(ours, key=_Found.trust).report
        failed = any(record.failed_init_inside() for record in found)
        return replace(chosen, init_failed=True) if failed else chosen
    return max(found, key=_Found.trust).report if found else None


def classify(
    report: InvocationReport | None, function_error: str | None, payload: bytes
) -> tuple[Outcome, str | None, str | None]:
    """How the invocation ended, with the error's type and its message on one line of at most 300 characters.

    ``function_error`` is the X-Amz-Function-Error header, ``payload`` the body of the answer. Both styles are known:
    today the REPORT has a status and an error type; before 2025, and in some partitions still, only the body tells.
    What the platform says decides. An error that the handler raised is the handler's, whatever its name: a
    ``TimeoutError`` is no timeout of the function.
    """
    failed_record = report is not None and report.status in _FAILED
    if function_error is None and not failed_record:
        answered = report is not None and report.record == "REPORT" and report.duration_ms is not None
        return (Outcome.OK if answered else Outcome.UNREPORTED), None, None
    body = _ErrorBody.read(payload) if function_error is not None else _ErrorBody()
    error_type = body.error_type or (report.error_type if report else None)
    return _failure(report, body), error_type, _shorten(body.message)


@dataclass(frozen=True, slots=True)
class _Found:
    """A record with where it stands, and whether other words stand before it on its line."""

    report: InvocationReport
    position: int
    alone: bool = True
    phase: str | None = None

    def failed_init_inside(self) -> bool:
        """Lambda repeats an init that failed inside the invocation, and says so (``Phase: invoke``)."""
        failed = self.report.record == "INIT_REPORT" and self.report.status in _FAILED
        return failed and self.alone and self.phase == "invoke"

    def trust(self) -> tuple[bool, int]:
        """The later the better, but a record that begins its line before one in the middle of a sentence."""
        return self.alone, self.position


@dataclass(frozen=True, slots=True)
class _Span:
    """A record of the text format (from its first word) or a JSON document."""

    name: str
    start: int
    end: int


@dataclass(slots=True)
class _OpenObject:
    start: int
    documents_before: int
    event: str | None = None


def _records(text: str) -> Iterator[_Found]:
    heads, documents = _scan(text)
    yield from _text_records(text, heads)
    for document in documents:
        report = _read_document(text, document)
        if report is not None:
            yield _Found(report, document.start, phase=_phase_of(text, document))


def _scan(text: str) -> tuple[list[_Span], list[_Span]]:
    """Heads of text records, and platform events that no other JSON object encloses, in the order of the text.

    An object that is never closed (a cut or broken document) encloses nothing.
    """
    if '"' not in text and "\\" not in text:
        return _scan_plain(text), []
    heads: list[_Span] = []
    documents: list[_Span] = []
    open_objects: list[_OpenObject] = []
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind in ("head", "boundary"):
            heads.append(_Span(token[kind], token.start(), token.end()))
        elif kind == "open":
            open_objects.append(_OpenObject(token.start(), len(documents)))
        elif kind == "event" and open_objects:
            open_objects[-1].event = token["event"]
        elif kind == "close" and open_objects:
            closed = open_objects.pop()
            del documents[closed.documents_before :]
            if closed.event is not None:
                documents.append(_Span(closed.event, closed.start, token.end()))
    return heads, documents


def _scan_plain(text: str) -> list[_Span]:
    return [
        _Span(token[0], token.start(), token.end())
        for token in _HEAD.finditer(text)
        if token.start() == 0 or text[token.start() - 1] not in _BEFORE_NO_HEAD
    ]


def _text_records(text: str, heads: list[_Span]) -> Iterator[_Found]:
    ends = [*(head.start for head in heads[1:]), len(text)]
    previous_end = 0
    for head, end in zip(heads, ends, strict=False):
        line_start = text.rfind("\n", previous_end, head.start) + 1
        prefix = text[max(line_start, previous_end) : head.start]
        previous_end = head.end
        if head.name not in _RECORDS or _LOG_LEVEL.search(prefix):
            continue
        report = _read_text(text, _RECORDS[head.name], head.end, end)
        if report is not None:
            phase = _PHASE.search(text, head.end, end)
            yield _Found(report, head.start, _PROSE.search(prefix) is None, phase[1] if phase else None)


def _read_text(text: str, record: Record, start: int, end: int) -> InvocationReport | None:
    request_id = None
    if record == "REPORT" and (match := _REQUEST_ID.match(text, start, end)):
        request_id = match["uuid"] or match["other"]
        start = match.end()
    fields, fields_end = _read_fields(text, start, end)
    trace = _XRAY.match(text, fields_end, end)
    return _build(
        record,
        {name: value for name, value in fields.items() if name in _TEXT_FIELDS[record]},
        request_id=request_id,
        trace_id=trace["trace_id"] if trace else None,
    )


def _read_fields(text: str, start: int, end: int) -> tuple[dict[str, float | str], int]:
    """The fields that follow a record's head, each once, and where the last one ends."""
    fields: dict[str, float | str] = {}
    for match in _FIELD.finditer(text, start, end):
        name, unit = _LABELS.get(" ".join(match["label"].split()), (None, None))
        if name is None or match["unit"] != unit:
            continue
        if name in fields or not _same_record(text[start : match.start()], fields):
            break
        value = match["status"] or match["error"]
        start = match.end()
        if match["status"] and _may_be_cut(match["status"], at_end=start == len(text)):
            continue
        fields[name] = value or float(match["number"])
    return fields, start


def _same_record(gap: str, fields: Mapping[str, float | str]) -> bool:
    """Does a field after this gap belong to the record? On its line always; on the next one if the line was wrapped.

    Lambda ends a REPORT with a tab, so after the last of the usual fields a tab and a line break end the record.
    """
    if "\n" not in gap:
        return True
    ended = "max_memory_used_mb" in fields and gap.startswith("\t")
    return gap.isspace() and gap.count("\n") == 1 and not ended


def _may_be_cut(status: str, *, at_end: bool) -> bool:
    return at_end and status not in _STATUSES


def _read_document(text: str, document: _Span) -> InvocationReport | None:
    content = _object(_decode(text[document.start : document.end])).get("record")
    record = _RECORDS[document.name]
    fields: dict[str, Any] = {
        "status": _object(content).get("status"),
        "error_type": _object(content).get("errorType"),
    }
    metrics = _object(_object(content).get("metrics"))
    fields |= {name: metrics.get(key) for key, name in _METRICS[record].items()}
    trace = _TRACE_ID.search(_string(_object(_object(content).get("tracing")).get("value")) or "")
    return _build(
        record,
        fields,
        request_id=_string(_object(content).get("requestId")),
        trace_id=trace[0] if trace else None,
    )


def _phase_of(text: str, document: _Span) -> str | None:
    record = _object(_decode(text[document.start : document.end])).get("record")
    return _string(_object(record).get("phase"))


def _decode(text: str | bytes) -> object:
    """A JSON value, or None where there is none: broken, not UTF-8, nested or numbered beyond reason."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _build(
    record: Record, fields: Mapping[str, object], *, request_id: str | None, trace_id: str | None
) -> InvocationReport | None:
    """A report of the fields that make sense; None where none does."""
    report = InvocationReport(
        record=record,
        request_id=request_id,
        duration_ms=_number(fields.get("duration_ms")),
        billed_duration_ms=_number(fields.get("billed_duration_ms")),
        memory_size_mb=_whole(fields.get("memory_size_mb")),
        max_memory_used_mb=_whole(fields.get("max_memory_used_mb")),
        init_duration_ms=_number(fields.get("init_duration_ms")),
        restore_duration_ms=_number(fields.get("restore_duration_ms")),
        billed_restore_duration_ms=_number(fields.get("billed_restore_duration_ms")),
        status=_string(fields.get("status")),
        error_type=_string(fields.get("error_type")),
        xray_trace_id=trace_id,
    )
    empty = InvocationReport(record=record, request_id=request_id, xray_trace_id=trace_id)
    return None if report == empty else report


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number.is_integer() else None


_PLATFORM_TIMEOUT = "Sandbox.Timedout"
_PLATFORM_OUT_OF_MEMORY = "Runtime.OutOfMemory"

# The runtime or an extension could not start: AWS runtime clients and the runtime interface emulator.
_INIT_ERROR_TYPES = frozenset(
    {
        "Extension.InitError",
        "Extension.LaunchError",
        "Runtime.HandlerNotFound",
        "Runtime.ImportModuleError",
        "Runtime.InvalidEntrypoint",
        "Runtime.InvalidTaskConfig",
        "Runtime.InvalidWorkingDir",
        "Runtime.MalformedHandlerName",
        "Runtime.NoSuchHandler",
        "Runtime.NoSuchModule",
        "Runtime.UserCodeSyntaxError",
    }
)

_TASK_TIMED_OUT = re.compile(r"Task timed out after [0-9.]+ seconds\s*\Z")

_KILLED_NEAR_LIMIT = 0.95
"""Share of the memory size above which a killed runtime ran out of memory; the peak is sampled and may fall short."""

_MESSAGE_LIMIT = 300


@dataclass(frozen=True, slots=True)
class _ErrorBody:
    """What an error answer says: two fields of every runtime, and Python's of errors before any request was met."""

    error_type: str | None = None
    message: str | None = None
    before_any_request: bool = False
    """AWS's runtime client for Python puts the id of the request into its errors, and an empty one into those of
    an init."""

    @classmethod
    def read(cls, payload: bytes) -> _ErrorBody:
        body = _object(_decode(payload))
        return cls(_string(body.get("errorType")), _string(body.get("errorMessage")), body.get("requestId") == "")


def _failure(report: InvocationReport | None, body: _ErrorBody) -> Outcome:
    reported = report or InvocationReport()
    types = {reported.error_type, body.error_type}
    if _timed_out(reported, body):
        return Outcome.TIMEOUT
    if _PLATFORM_OUT_OF_MEMORY in types or _killed_for_memory(reported, body):
        return Outcome.OUT_OF_MEMORY
    if types & _INIT_ERROR_TYPES or reported.init_failed or body.before_any_request:
        return Outcome.INIT_ERROR
    if reported.record != "REPORT" and reported.status in {"error", "timeout"}:
        return Outcome.INIT_ERROR
    return Outcome.FUNCTION_ERROR


def _timed_out(report: InvocationReport, body: _ErrorBody) -> bool:
    """The REPORT's word if it has one; else a body that only the platform writes: its own type, or no type at all."""
    if report.record == "REPORT" and report.status is not None:
        return report.status == "timeout"
    if body.error_type is None:
        return _TASK_TIMED_OUT.search(body.message or "") is not None
    return body.error_type == _PLATFORM_TIMEOUT


def _killed_for_memory(report: InvocationReport, body: _ErrorBody) -> bool:
    """Old style: the runtime died of SIGKILL with its memory used up."""
    if body.error_type not in (None, "Runtime.ExitError") or "signal: killed" not in (body.message or ""):
        return False
    if report.max_memory_used_mb is None or report.memory_size_mb is None:
        return False
    return report.max_memory_used_mb >= _KILLED_NEAR_LIMIT * report.memory_size_mb


def _shorten(message: str | None) -> str | None:
    if message is None:
        return None
    line = " ".join(message.split())
    return line if len(line) <= _MESSAGE_LIMIT else line[: _MESSAGE_LIMIT - 1] + "…"
