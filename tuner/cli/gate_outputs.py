"""What a gate tells beside its report: an exit code, files for CI servers, and what GitHub reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuner.cli.delivery import Delivery, try_writing
from tuner.cli.github import tell_github
from tuner.errors import ExitCode, UsageError
from tuner.model import BudgetStatus, Comparison, GateReport, Level, VerdictStatus
from tuner.render.redact import redacted_gate

EXIT_CODES = {
    VerdictStatus.PASS: ExitCode.OK,
    VerdictStatus.IMPROVEMENT: ExitCode.OK,
    VerdictStatus.REGRESSION: ExitCode.REGRESSION,
    VerdictStatus.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
    VerdictStatus.BUDGET: ExitCode.BUDGET,
    VerdictStatus.INVALID: ExitCode.INVALID,
}
_WORST_FIRST = (ExitCode.INVALID, ExitCode.REGRESSION, ExitCode.BUDGET, ExitCode.INCONCLUSIVE, ExitCode.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOutputs:
    """Where the result goes beside the report, as it was typed."""

    format: str
    """text, json or markdown: what standard output gets."""
    junit: Path | None
    comment: Path | None
    summary: Path | None
    benchmark: Path | None
    github: bool

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.junit, self.comment, self.summary, self.benchmark) if path is not None)

    def check(self) -> None:
        """UsageError for a file that cannot be written: found out before anything is spent."""
        for path in self.files:
            try:
                try_writing(path)
            except OSError as error:
                raise UsageError(f"{path} cannot be written: {error.strerror}.", hint="Give another file.") from error


def exit_code(report: GateReport, *, advisory: bool) -> ExitCode:
    """What the process ends with. ``advisory``: a comparison with a stored base only warns."""
    codes = {_exit_code(comparison, advisory=advisory) for comparison in report.comparisons}
    return next((code for code in _WORST_FIRST if code in codes), ExitCode.INVALID)


def _exit_code(comparison: Comparison, *, advisory: bool) -> ExitCode:
    code = EXIT_CODES[comparison.verdict.status]
    if not (advisory and comparison.uncontrolled) or code is ExitCode.INVALID:
        return code
    return ExitCode.BUDGET if _breaches(comparison) else ExitCode.OK


def _breaches(comparison: Comparison) -> bool:
    """A limit is held against head alone, which was measured now."""
    return any(
        budget.status is BudgetStatus.BREACHED and budget.limit.level is Level.ERROR and budget.acknowledged is None
        for budget in comparison.verdict.budgets
    )


def write_outputs(
    report: GateReport, outputs: GateOutputs, delivery: Delivery, *, advisory: bool, report_file: Path | None
) -> None:
    """Everything for CI servers that was asked for. Nothing private is in it."""
    from tuner.render.github import render_benchmark_data, render_comment, render_summary
    from tuner.render.junit import render_junit

    shared = redacted_gate(report)
    if outputs.junit is not None:
        delivery.write(outputs.junit, render_junit(shared, advisory=advisory))
    if outputs.comment is not None:
        delivery.write(outputs.comment, render_comment(shared))
    if outputs.summary is not None:
        delivery.write(outputs.summary, render_summary(shared))
    if outputs.benchmark is not None:
        delivery.write(outputs.benchmark, render_benchmark_data(shared))
    if outputs.github:
        tell_github(shared, delivery, advisory=advisory, report_file=report_file, comment=outputs.comment)
