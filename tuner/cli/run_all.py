"""``tuner run --all``: every function of tuner.toml, one after the other, in one table and one report.

Each is a ``tuner run`` of its own: one that fails, or is killed, takes nothing from the others.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner import codec
from tuner.cli.configured import load
from tuner.cli.delivery import Delivery
from tuner.cli.display import columns
from tuner.cli.reports import DEFAULT_FOLDER, check_writable, say_kept, write_document
from tuner.errors import ExitCode, UsageError
from tuner.inputs.config import FUNCTION, Configuration
from tuner.model import Report
from tuner.render.project import HEADER, Measured, project_document, project_rows
from tuner.render.table import render_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAllOptions:
    """``tuner run --all`` as it was typed."""

    words: tuple[str, ...]
    """Options for each run."""
    files: tuple[Path, ...]
    config: Path | None
    profile: str | None


def run_all_command(options: RunAllOptions) -> int:
    """Measure all, print the table, write the report; returns the first exit code that is not 0."""
    _check(options)
    configuration = load(options.config)
    names = _names(configuration)
    measured, codes = [], []
    for number, name in enumerate(names, start=1):
        print(f"[{number}/{len(names)}] {name}", file=sys.stderr)
        function, code = _run(name, options)
        measured.append(function)
        codes.append(code)
        if code == ExitCode.INTERRUPTED:
            break
    _show(measured, options.files)
    return next((code for code in codes if code != ExitCode.OK), ExitCode.OK)


def _check(options: RunAllOptions) -> None:
    check_writable(options.files)
    for path in options.files:
        if path.suffix == ".json":
            raise UsageError(
                f"{path}: each function has a report.json of its own, in reports/.",
                hint="Give --report a file that ends with .html or .md.",
            )


def _names(configuration: Configuration | None) -> tuple[str, ...]:
    functions = configuration.functions if configuration else {}
    names = tuple(name for name, table in functions.items() if FUNCTION in table)
    if not names:
        raise UsageError(
            "--all measures the functions of tuner.toml, and none is named there.",
            hint='`tuner init` writes the file; give each [functions.NAME] its function = "...".',
        )
    return names


def _run(name: str, options: RunAllOptions) -> tuple[Measured, int]:
    """One run as a process of its own; what it says to people goes where ours goes."""
    with tempfile.TemporaryDirectory(prefix="tuner-all-") as folder:
        file = Path(folder) / "report.json"
        done = subprocess.run(  # noqa: S603 - ourselves
            [
                *_ourselves(options),
                "run",
                name,
                *options.words,
                "--report",
                str(file),
                "--report",
                str(_own_report(name)),
            ],
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if not file.exists():
            return Measured(name, None, done.returncode), done.returncode
        return Measured(name, codec.decode(file.read_bytes(), Report)), done.returncode


def _ourselves(options: RunAllOptions) -> Iterator[str]:
    yield from (sys.executable, "-P", "-m", "tuner")
    if options.config is not None:
        yield from ("--config", str(options.config))
    if options.profile is not None:
        yield from ("--config-profile", options.profile)


def _own_report(name: str) -> Path:
    """What `tuner apply` and `tuner report` read afterwards."""
    return DEFAULT_FOLDER / f"{re.sub(r'[^A-Za-z0-9_-]+', '-', name).strip('-')}.json"


def _show(measured: Sequence[Measured], files: tuple[Path, ...]) -> None:
    print(render_columns(HEADER, project_rows(measured), width=columns()), end="")
    with Delivery() as delivery:
        write_document(project_document(measured), files, delivery)
        own = tuple(_own_report(one.name) for one in measured if one.report is not None)
        say_kept((*delivery.has_written(files), *own), quiet=False)
