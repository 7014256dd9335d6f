from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import tuner.aws.test_events
from tuner.cli.app import app
from tuner.cli.completion import complete_event
from tuner.errors import TunerError
from tuner.inputs.events import catalogue, read_event

ROOT = Path(__file__).resolve().parents[3]
SHARED = {"upload": {"value": {"key": "a.jpg"}}, "esc\x1b[2J": {"value": {}}}


class Schemas:
    """A schema registry that holds the test events of one function."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []

    def describe_schema(self, **names: str) -> dict[str, Any]:
        self.asked.append(names)
        return {"Content": json.dumps({"components": {"examples": SHARED}})}

    def close(self) -> None: ...


@pytest.fixture
def schemas(monkeypatch: pytest.MonkeyPatch) -> Schemas:
    client = Schemas()

    def made(*, region: str, profile: str | None) -> Schemas:
        client.asked.append({"region": region, "profile": str(profile)})
        return client

    monkeypatch.setattr(tuner.aws.test_events, "schemas_client", made)
    return client


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["event", *arguments])
    assert result.exit_code == 0, f"{result.output} {result.exception!r}"
    return result


def refused(*arguments: str) -> TunerError:
    error = CliRunner().invoke(app, ["event", *arguments]).exception
    assert isinstance(error, TunerError)
    return error


def test_the_list_shows_every_event_and_marks_those_that_are_not_harmless() -> None:
    lines = run("list").stdout.splitlines()
    rows = {line.split()[0]: line for line in lines[1 : len(catalogue()) + 1]}
    assert set(rows) == {event.name for event in catalogue()}
    assert {name for name, row in rows.items() if row.split()[1] == "!"} == {
        event.name for event in catalogue() if event.touches_resources
    }
    assert lines[-1] == "Next: tuner event show EVENT"


def test_the_list_as_json_has_a_version_and_what_the_index_says() -> None:
    content = json.loads(run("list", "--output", "json").stdout)
    assert content["schema_version"] == 1
    by_name = {event["name"]: event for event in content["events"]}
    assert set(by_name) == {event.name for event in catalogue()}
    assert list(by_name["s3/put"]) == [
        "name",
        "service",
        "type",
        "title",
        "documentation",
        "variables",
        "touches_resources",
        "reason",
        "repeatable",
    ]


@pytest.mark.parametrize("columns", [60, 200])
def test_a_list_on_a_terminal_of_any_width_keeps_the_names_whole(columns: int) -> None:
    pty = pytest.importorskip("pty")
    primary, secondary = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tuner", "event", "list"], stdout=secondary, env=environment, cwd=ROOT
    )
    os.close(secondary)
    output = b""
    try:
        while chunk := os.read(primary, 65536):
            output += chunk
    except OSError:  # Linux reports the end of a terminal as an error
        pass
    finally:
        os.close(primary)
    assert process.wait() == 0
    lines = re.sub(r"\x1b\[[0-9;]*m", "", output.decode()).splitlines()
    assert max(map(len, lines)) <= columns
    assert {event.name for event in catalogue()} <= {line.split()[0] for line in lines if line.strip()}


def test_show_prints_the_file_and_nothing_else_on_standard_output() -> None:
    result = run("show", "sqs/batch")
    assert json.loads(result.stdout) == json.loads(read_event("sqs/batch"))
    assert result.stdout == (ROOT / "payloads/sqs/batch.json").read_text(encoding="utf-8")
    assert result.stderr == ""


def test_show_applies_settings_and_repetitions() -> None:
    result = run("show", "sqs/batch", "--set", "records.0.body.orderId=7", "--repeat", "Records=3")
    records = json.loads(result.stdout)["Records"]
    assert [json.loads(record["body"])["orderId"] for record in records] == ["7", "7", "7"]


def test_an_event_that_is_not_harmless_is_shown_with_a_warning_on_standard_error() -> None:
    result = run("show", "s3/put")
    assert json.loads(result.stdout)
    assert result.stderr.startswith("Warning: s3/put is not harmless to replay")


def test_an_unknown_event_is_refused_with_a_near_name() -> None:
    assert "sqs/batch" in refused("show", "sqs/bach").hint


def test_new_writes_what_show_prints_and_says_how_to_use_it(folder: Path) -> None:
    result = run("new", "sqs/batch", "--set", "Records.0.body=x")
    assert (folder / "sqs-batch.json").read_text() == run("show", "sqs/batch", "--set", "Records.0.body=x").stdout
    assert result.stdout == ("Wrote sqs-batch.json. Use it with: tuner run FUNCTION --payload sqs-batch.json\n")


def test_new_writes_where_it_is_told_and_makes_the_folder(folder: Path) -> None:
    result = run("new", "sqs/batch", "my events/a.json")
    assert json.loads((folder / "my events" / "a.json").read_text())
    assert result.stdout.endswith("--payload 'my events/a.json'\n")


def test_new_never_overwrites_unless_it_is_forced(folder: Path) -> None:
    file = folder / "sqs-batch.json"
    file.write_text("mine")
    assert "--force" in refused("new", "sqs/batch").hint
    assert file.read_text() == "mine"
    run("new", "sqs/batch", "--force")
    assert json.loads(file.read_text())


def test_a_bad_setting_leaves_no_file_behind(folder: Path) -> None:
    assert "has no x" in refused("new", "sqs/batch", "--set", "x=1").message
    assert list(folder.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said(folder: Path) -> None:
    (folder / "file").write_text("")
    (folder / "taken").mkdir()
    assert "cannot be written" in refused("new", "sqs/batch", "file/a.json").message
    assert "cannot be written" in refused("new", "sqs/batch", "taken", "--force").message


def test_the_documentation_has_every_event_with_every_variable() -> None:
    text = (ROOT / "docs/events.md").read_text(encoding="utf-8")
    rows = {row.split("]")[0].removeprefix("| ["): row for row in text.splitlines() if row.startswith("| [")}
    assert set(rows) == {event.name for event in catalogue()}
    for event in catalogue():
        row = rows[event.name]
        assert (") **!** |" in row) == event.touches_resources
        assert all(part in row for part in (event.title, event.documentation))
        assert all(f"`{variable.path}` {variable.meaning}" in row for variable in event.variables)


def documented_commands() -> list[str]:
    text = (ROOT / "docs/events.md").read_text(encoding="utf-8")
    return re.findall(r"^\s*\$ tuner event (.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("command", documented_commands())
def test_the_commands_of_the_documentation_run(command: str) -> None:
    run(*shlex.split(command))


def test_the_documentation_has_commands() -> None:
    assert len(documented_commands()) >= 7


def test_completion_offers_names_of_the_catalogue() -> None:
    assert complete_event("sq") == ["sqs/batch"]
    assert len(complete_event("")) == len(catalogue())
    assert complete_event("nothing") == []


def test_the_shared_test_events_of_a_function_are_listed_harmlessly(schemas: Schemas) -> None:
    result = run("list", "--function", "arn:aws:lambda:eu-west-1:123456789012:function:mine", "--profile", "p")
    assert result.stdout == "esc\ufffd[2J\nupload\n"
    assert schemas.asked == [
        {"region": "eu-west-1", "profile": "p"},
        {"RegistryName": "lambda-testevent-schemas", "SchemaName": "_mine-schema"},
    ]
    content = json.loads(run("list", "--function", "mine", "--region", "x", "--output", "json").stdout)
    assert content["function"] == "mine"
    assert [event["name"] for event in content["events"]] == ["esc\x1b[2J", "upload"]


def test_a_function_without_shared_test_events_is_no_failure(
    schemas: Schemas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schemas, "describe_schema", lambda **_names: {"Content": '{"components": {}}'})
    result = run("list", "--function", "mine", "--region", "x")
    assert result.stdout == ""
    assert "no shared test events" in result.stderr


def test_a_shared_test_event_is_shown_and_saved(schemas: Schemas, folder: Path) -> None:
    assert json.loads(run("show", "upload", "--function", "mine", "--region", "x").stdout) == {"key": "a.jpg"}
    run("new", "upload", "--function", "mine", "--region", "x")
    assert json.loads((folder / "upload.json").read_text()) == {"key": "a.jpg"}


def test_options_that_would_do_nothing_are_refused(schemas: Schemas) -> None:
    assert "--function" in refused("list", "--region", "x").hint
    assert "--function" in refused("show", "sqs/batch", "--profile", "x").hint
    assert "tuner event new" in refused("show", "upload", "--function", "mine", "--set", "a=1").hint
    assert schemas.asked == []


def test_an_installed_wheel_has_the_catalogue(folder: Path) -> None:
    pytest.importorskip("hatchling")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    script = (
        "import tuner.inputs.events as events; print(events.FOLDER); "
        "[events.read_event(event.name) for event in events.catalogue()]"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "installed")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(answer.stdout.strip()) == folder / "installed" / "tuner" / "data" / "payloads"
