"""The command line with a configuration: flag > TUNER_* > file > default, for every measuring command alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import tuner.cli.run
from tuner.cli.app import app
from tuner.cli.run import RunOptions
from tuner.errors import TunerError

FILE = """
memory = [256, 512]
max-cost = 0.05
payload = ["events/a.json=3", '{"b": 1}']

[functions.hash]
function = "functions/hash"
local = true
samples = 7

[profiles.quick]
samples = 2
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TUNER_CONFIG", "TUNER_CONFIG_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "tuner.toml").write_text(FILE)
    (tmp_path / "functions" / "hash").mkdir(parents=True)
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "a.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[RunOptions]:
    """What `tuner run` was asked to do, instead of doing it."""
    asked: list[RunOptions] = []

    def remember(options: RunOptions) -> int:
        asked.append(options)
        return 0

    monkeypatch.setattr(tuner.cli.run, "run_command", remember)
    return asked


def run(*words: str, expect: int = 0) -> str:
    result = CliRunner().invoke(app, [*words], catch_exceptions=True)
    if isinstance(result.exception, TunerError):
        raise result.exception
    assert result.exit_code == expect, result.output
    return result.output


def test_the_file_gives_the_defaults(project: Path, seen: list[RunOptions]) -> None:
    run("run", "hash")
    [options] = seen
    assert options.where.function == "functions/hash"
    assert (options.where.local, options.samples, options.memory) == (True, 7, "256,512")
    assert options.spend.max_cost == "0.05"
    assert options.send.payloads == ("events/a.json=3", '{"b": 1}')


def test_a_profile_wins_over_the_function_a_variable_over_the_file_and_a_flag_over_all(
    project: Path, seen: list[RunOptions], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("--config-profile", "quick", "run", "hash")
    monkeypatch.setenv("TUNER_SAMPLES", "5")
    run("--config-profile", "quick", "run", "hash")
    run("run", "hash", "-n", "9")
    monkeypatch.delenv("TUNER_SAMPLES")
    monkeypatch.setenv("TUNER_CONFIG_PROFILE", "quick")
    run("run", "hash")
    assert [options.samples for options in seen] == [2, 5, 9, 2]


def test_files_are_looked_for_beside_the_configuration(
    project: Path, seen: list[RunOptions], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "events")
    run("run", "hash")
    [options] = seen
    assert options.where.function == str(project / "functions" / "hash")
    assert options.send.payloads == (f"{project / 'events' / 'a.json'}=3", '{"b": 1}')


def test_only_the_function_is_renamed_not_an_option_of_the_same_word(project: Path, seen: list[RunOptions]) -> None:
    run("run", "--handler", "hash", "hash", "--runtime", "hash")
    [options] = seen
    assert options.where.function == "functions/hash"
    assert (options.where.handler, options.where.runtime) == ("hash", "hash")


def test_a_function_that_is_not_configured_takes_the_general_part(project: Path, seen: list[RunOptions]) -> None:
    run("run", "other")
    [options] = seen
    assert (options.where.function, options.where.local, options.memory) == ("other", False, "256,512")


def test_a_wrong_file_stops_the_command_and_not_its_help(project: Path, seen: list[RunOptions]) -> None:
    (project / "tuner.toml").write_text('memry = "512"')
    with pytest.raises(TunerError, match="Did you mean memory"):
        run("run", "hash")
    assert "Usage" in run("run", "--help")
    assert seen == []


def test_consent_cannot_be_written_down(project: Path) -> None:
    (project / "tuner.toml").write_text("yes = true")
    with pytest.raises(TunerError, match="yes is no option"):
        run("run", "hash")


def test_another_file_can_be_named(project: Path, seen: list[RunOptions], monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "other.toml").write_text("samples = 3")
    run("--config", "other.toml", "run", "f")
    monkeypatch.setenv("TUNER_CONFIG", "other.toml")
    run("run", "f")
    assert [options.samples for options in seen] == [3, 3]


def show(*words: str) -> dict[str, Any]:
    return dict(json.loads(run("config", "show", "--output", "json", *words))["options"])


def test_show_says_where_each_value_comes_from(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_SEED", "4")
    shown = show("hash", "--config-profile", "quick")
    origins = {key: shown[key]["origin"] for key in ("samples", "local", "memory", "seed", "strategy")}
    assert origins == {
        "samples": "tuner.toml [profiles.quick]",
        "local": "tuner.toml [functions.hash]",
        "memory": "tuner.toml",
        "seed": "TUNER_SEED (environment)",
        "strategy": "default",
    }
    assert shown["strategy"]["value"] == "cost"
    assert "tuner.toml [functions.hash]" in run("config", "show", "hash")


def test_check_names_every_problem_at_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is right; functions: hash" in run("config", "check")
    monkeypatch.setenv("TUNER_SED", "1")
    (project / "tuner.toml").write_text(
        'memry = 1\nmax-cost = "five"\nsamples = 0\n[functions.a.budget]\n'
        'p95 = "<= soon"\n[profiles.p]\nmemory = "1"\n'
    )
    output = run("config", "check", expect=2)
    for words in (
        "memry is no option. Did you mean memory?",
        "max-cost = five",
        "samples = 0",
        "[functions.a.budget]: '<= soon'",
        "[profiles.p]: memory = 1",
        "TUNER_SED: no option is read from this variable. Did you mean TUNER_SEED?",
    ):
        assert words in output


def test_init_writes_a_file_that_is_right_and_leaves_an_existing_one(project: Path) -> None:
    with pytest.raises(TunerError, match="is there already"):
        run("init")
    assert (project / "tuner.toml").read_text() == FILE
    (project / "template.yaml").write_text(
        "Resources:\n  Thumb:\n    Type: AWS::Lambda::Function\n    Properties:\n"
        "      FunctionName: shop-thumb\n      MemorySize: 512\n      Runtime: python3.13\n"
    )
    (project / "events" / "Thumb.json").write_text("{}")
    output = run("init", "--force")
    assert "Thumb: template.yaml: Thumb, 512 MB, python3.13" in output
    assert "tuner run Thumb" in output
    assert "is right; functions: Thumb" in run("config", "check")
    assert show("Thumb")["payload"]["value"] == "events/Thumb.json"


def test_init_of_an_empty_folder_writes_comments_and_says_what_to_type(project: Path) -> None:
    (project / "empty").mkdir()
    assert "tuner run FOLDER --local" in run("init", "empty")
    assert "# [functions.thumbnail]" in (project / "empty" / "tuner.toml").read_text()


def test_init_without_templates_finds_folders_of_handlers(project: Path) -> None:
    (project / "functions" / "hash" / "handler.py").write_text("def handler(event, context):\n    return 1\n")
    output = run("init", "--print")
    assert 'function = "functions/hash"\nlocal = true\n' in output


def test_a_flag_that_is_typed_wins_over_its_opposite_in_the_file(project: Path, seen: list[RunOptions]) -> None:
    (project / "tuner.toml").write_text("quiet = true\n")
    run("run", "mine", "--verbose")
    run("run", "mine")
    assert [(options.output.quiet, options.output.verbose) for options in seen] == [(False, True), (True, False)]
    (project / "tuner.toml").write_text("verbose = true\n")
    run("run", "mine", "-q")
    assert (seen[-1].output.quiet, seen[-1].output.verbose) == (True, False)


def test_a_command_that_a_file_has_run_is_announced_before_it_runs(project: Path, seen: list[RunOptions]) -> None:
    (project / "tuner.toml").write_text('[run]\nbefore = "touch x"\n')
    result = CliRunner().invoke(app, ["run", "orders"])
    assert result.stderr.startswith("tuner.toml [run] runs a command before each invocation: touch x\n")
    typed = CliRunner().invoke(app, ["run", "orders", "--before", "true"])
    assert "touch x" not in typed.stderr


def test_a_payload_in_a_file_that_is_no_name_of_a_file_stays_text(
    project: Path, seen: list[RunOptions], monkeypatch: pytest.MonkeyPatch
) -> None:
    event = json.dumps({"text": "x" * 500})
    (project / "tuner.toml").write_text(f"[run]\npayload = ['{event}']\n")
    (project / "inner").mkdir()
    monkeypatch.chdir(project / "inner")
    run("run", "orders")
    assert seen[0].send.payloads == (event,)
