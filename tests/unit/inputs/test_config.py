"""tuner.toml: found, layered, and every word in it either means something or is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.inputs.config import (
    ConfigError,
    Configuration,
    Vocabulary,
    find_config,
    from_environment,
    problems,
    read_config,
    variable_name,
)

VOCABULARY = Vocabulary(commands={"run": ("memory", "max-cost", "strategy"), "gate": ("memory", "max-regression")})
FULL = """
memory = "128..3008"
max_cost = "$0.10"

[run]
strategy = "speed"

[functions.thumbnail]
function = "shop-thumbnail"
memory = "256,512"
budget = { p95 = "<= 250ms" }

[profiles.ci]
memory = "512"
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return written(tmp_path, FULL)


def written(folder: Path, text: str, name: str = "tuner.toml") -> Configuration:
    path = folder / name
    path.write_text(text)
    return read_config(path)


def values(configuration: Configuration, *place: str | None) -> dict[str, object]:
    return {key: setting.value for key, setting in configuration.settings(*place).items()}  # type: ignore[arg-type]


def test_the_more_particular_table_wins(configuration: Configuration) -> None:
    assert values(configuration, "run") == {"memory": "128..3008", "max-cost": "$0.10", "strategy": "speed"}
    assert values(configuration, "gate") == {"memory": "128..3008", "max-cost": "$0.10"}
    assert values(configuration, "gate", "thumbnail")["memory"] == "256,512"
    assert values(configuration, "gate", "thumbnail", "ci")["memory"] == "512"


def test_each_value_knows_its_table(configuration: Configuration) -> None:
    found = configuration.settings("run", "thumbnail")
    assert found["strategy"].origin == "tuner.toml [run]"
    assert found["memory"].origin == "tuner.toml [functions.thumbnail]"
    assert found["max-cost"].origin == "tuner.toml"


@pytest.mark.parametrize(
    "typed",
    ["thumbnail", "shop-thumbnail", "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail", "thumbnail:live"],
)
def test_a_function_is_known_by_every_name_it_goes_by(configuration: Configuration, typed: str) -> None:
    assert configuration.named(typed) == "thumbnail"


def test_a_folder_is_known_by_its_whole_path_too(tmp_path: Path) -> None:
    configuration = written(tmp_path, '[functions.hash]\nfunction = "functions/hash"\nbudget = {p95 = "1ms"}\n')
    assert configuration.gate_tables(str(tmp_path / "functions" / "hash")) == {"budget": {"p95": "1ms"}}


def test_another_function_and_a_folder_are_not_confused_with_it(configuration: Configuration) -> None:
    assert configuration.named("thumbnails") is None
    assert configuration.named("./thumbnail") is None
    assert configuration.named(None) is None


def test_the_budget_is_left_as_it_is_written_for_the_gate(configuration: Configuration) -> None:
    assert configuration.gate_tables("shop-thumbnail") == {"budget": {"p95": "<= 250ms"}}
    assert "budget" not in configuration.settings("gate", "thumbnail")


def test_a_right_file_has_no_problems(configuration: Configuration) -> None:
    assert problems(configuration, VOCABULARY) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('memry = "1"', "tuner.toml: memry is no option. Did you mean memory?"),
        ("[run]\nmax-regression = 1", "tuner.toml [run]: max-regression is no option."),
        ("[runn]\nmemory = 1", "tuner.toml [runn]: there is no such table. Did you mean run?"),
        ("[functions.a]\nbuget = {}", "tuner.toml [functions.a]: buget is no option. Did you mean budget?"),
        ("[profiles.a]\nbudget = {}", "tuner.toml [profiles.a]: budget is no option."),
        ("qqqq = 1", "tuner.toml: qqqq is no option."),
    ],
)
def test_an_unknown_key_is_named_with_what_it_may_have_meant(tmp_path: Path, text: str, words: str) -> None:
    [problem] = problems(written(tmp_path, text), VOCABULARY)
    assert str(problem) == words


def test_an_unknown_profile_names_those_there_are(configuration: Configuration) -> None:
    with pytest.raises(ConfigError) as error:
        configuration.settings("run", None, "c1")
    assert "ci" in error.value.hint


@pytest.mark.parametrize("text", ["memory = ", "[functions]\na = 1", "a = 1\na = 2"])
def test_a_file_that_cannot_be_read_is_an_error_with_its_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"tuner\.toml"):
        written(tmp_path, text)


def test_the_nearest_file_is_used_and_the_search_ends_at_the_repository(tmp_path: Path) -> None:
    (tmp_path / "tuner.toml").write_text("")
    inner = tmp_path / "repository" / "src" / "deep"
    inner.mkdir(parents=True)
    assert find_config(inner) == tmp_path / "tuner.toml"
    (tmp_path / "repository" / ".git").mkdir()
    assert find_config(inner) is None
    (tmp_path / "repository" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert find_config(inner) is None
    (tmp_path / "repository" / "pyproject.toml").write_text("[tool.tuner]\nmemory = '512'\n")
    found = find_config(inner)
    assert found is not None
    assert values(read_config(found), "run") == {"memory": "512"}
    (inner / "tuner.toml").write_text("")
    assert find_config(inner) == inner / "tuner.toml"


def test_variables_are_the_options_in_capitals_and_empty_ones_say_nothing() -> None:
    assert variable_name("price-per-gb-s") == "TUNER_PRICE_PER_GB_S"
    found = from_environment({"TUNER_MEMORY": "512", "TUNER_MAX_COST": "", "OTHER": "1"}, ("memory", "max-cost"))
    assert {key: (setting.value, setting.origin) for key, setting in found.items()} == {
        "memory": ("512", "TUNER_MEMORY (environment)")
    }
