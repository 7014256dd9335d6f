"""What a gate tells GitHub, and how what others wrote is kept from telling it anything.

Commands and files as in docs.github.com, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import atexit
import os
import secrets
import sys
from pathlib import Path

from tuner.cli.delivery import Delivery
from tuner.model import GateReport

_LINE_BREAKS = frozenset("\r\n")


class WorkflowCommands:
    """Commands that the runner reads from what is printed: only between ``resume`` and ``stop``.

    The rest of the output quotes error messages of the function and of AWS. A line of those that began with ``::``
    would be a command as well, wherever a long message is wrapped.
    """

    def __init__(self) -> None:
        self._token = ""

    def stop(self) -> None:
        """Until ``resume``, or until the process ends: its last words are the ones most likely to quote others."""
        if os.environ.get("GITHUB_ACTIONS") == "true" and not self._token:
            self._token = secrets.token_hex(16)
            _say(f"::stop-commands::{self._token}")
            atexit.register(self.resume)

    def resume(self) -> None:
        if self._token:
            _say(f"::{self._token}::")
            self._token = ""


workflow_commands = WorkflowCommands()


def tell_github(
    report: GateReport, delivery: Delivery, *, advisory: bool, report_file: Path | None, comment: Path | None
) -> None:
    """Annotations on standard error, which GitHub reads as well; the summary and the outputs in its files.

    The output ``comment`` is there only if this gate has written that file: the action posts no other.
    """
    from tuner.render.github import render_annotations, render_summary

    workflow_commands.resume()
    for line in render_annotations(report, advisory=advisory):
        print(line, file=sys.stderr)
    workflow_commands.stop()
    _append("GITHUB_STEP_SUMMARY", render_summary(report), delivery)
    sizes = sorted({comparison.memory_mb for comparison in report.comparisons})
    values = {
        "verdict": report.status.value,
        "memory-mb": ",".join(map(str, sizes)),
        "report": "" if report_file is None else str(report_file),
    }
    if comment is not None and comment in delivery.written:
        values["comment"] = str(comment)
    _append("GITHUB_OUTPUT", "".join(_output(name, value) for name, value in values.items()), delivery)


def _output(name: str, value: str) -> str:
    """A value of several lines stands between delimiters that it cannot contain; else it could end early and set
    other outputs."""
    if _LINE_BREAKS.isdisjoint(value):
        return f"{name}={value}\n"
    delimiter = f"tuner_{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _append(variable: str, text: str, delivery: Delivery) -> None:
    """To the file that GitHub names in ``variable``; elsewhere there is none, and nothing is lost."""
    named = os.environ.get(variable)
    if named:
        delivery.append(Path(named), text)


def _say(command: str) -> None:
    sys.stdout.flush()  # what was printed there before is read before it
    print(command, file=sys.stderr, flush=True)
