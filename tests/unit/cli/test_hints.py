"""Commands in hints can be pasted whatever names are in them: a name is one word, never a command of its own."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tuner.cli.apply import _refuse_other_architecture, recommended
from tuner.cli.report_file import read_report
from tuner.errors import TunerError
from tuner.inputs.templates.found import TemplateError, choose
from tuner.inputs.templates.serverless import serverless_functions
from tuner.local.handlers import SourceFile, find_handler

EVIL = "x; touch owned #"


def test_the_function_of_a_foreign_report_is_quoted(tmp_path: Path) -> None:

    golden = json.loads((Path(__file__).parents[2] / "golden" / "report.json").read_text())
    golden["target"]["function"] = EVIL
    golden["recommendation"]["architecture"] = "arm64"
    path = tmp_path / "report.json"
    path.write_text(json.dumps(golden))
    report = read_report(str(path))
    with pytest.raises(TunerError) as caught:
        _refuse_other_architecture(report, recommended(report))
    assert f"tuner run {shlex.quote(EVIL)} --arch" in caught.value.hint


def test_the_functions_of_a_template_are_quoted() -> None:
    functions = serverless_functions(f'functions: {{"{EVIL}": {{handler: a}}, other: {{handler: b}}}}')
    with pytest.raises(TemplateError) as caught:
        choose(functions, "?", None)
    assert shlex.quote(EVIL) in caught.value.hint


def test_the_folder_of_a_function_is_quoted() -> None:
    with pytest.raises(TunerError) as caught:
        find_handler(Path(EVIL), {"bootstrap": SourceFile(b"")})
    assert f"chmod +x {shlex.quote(f'{EVIL}/bootstrap')}" in caught.value.hint
