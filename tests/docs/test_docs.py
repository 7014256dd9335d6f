"""The documentation says what the code does: every command, option, error and exit code, and no line that fails."""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tuner.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted([ROOT / "README.md", ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md")])
RENEW = runpy.run_path(str(ROOT / "tests" / "docs" / "renew.py"))
COMMANDS: dict[str, Any] = dict(RENEW["commands"](RENEW["root"]()))
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def test_the_reference_is_what_the_code_says() -> None:
    written = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert written == RENEW["reference"](), "renew it with: python tests/docs/renew.py"


def test_every_error_has_a_section_of_its_own_and_no_section_is_of_no_error() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^## (\S+)$", text, re.MULTILINE)) == sorted(RENEW["error_slugs"]())


def test_every_exit_code_has_a_meaning() -> None:
    assert set(RENEW["EXIT_CODES"]) == {code.name for code in ExitCode}


def test_every_option_of_every_command_is_in_the_reference_with_a_meaning() -> None:
    reference = RENEW["reference"]()
    for name, command in COMMANDS.items():
        section = reference.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            if parameter.name in {"install_completion", "show_completion", "help"}:
                continue
            assert parameter.help, f"{name} {parameter.name} says nothing"
            shown = parameter.opts[0] if parameter.param_type_name == "option" else "|"
            assert shown in section, f"{name} {shown}"


def typed_lines(text: str) -> Iterator[str]:
    """The `tuner` commands of the console blocks."""
    for block in BLOCK.findall(text):
        for line in block.splitlines():
            if line.startswith("$ tuner "):
                yield line.removeprefix("$ ")


def examples(command: Any) -> list[str]:
    _, _, part = (command.help or "").partition("Example")
    return [line.strip() for line in part.splitlines() if line.strip().startswith("tuner ")]


def understood(line: str) -> None:
    """Parse a command line as the command itself does, without doing it. Raises what Typer raises."""
    words = shlex.split(line, comments=True)
    words = [word for word in words[1 : words.index(">") if ">" in words else None] if word != "..."]
    command, context, name = RENEW["root"](), None, "tuner"
    while hasattr(command, "commands"):
        context = command.make_context(name, words, parent=context)
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        name, command, words = command.resolve_command(context, rest)
    command.make_context(name, words, parent=context)


LEAVES = sorted(name for name, command in COMMANDS.items() if not hasattr(command, "commands"))


@pytest.mark.parametrize("name", LEAVES)
def test_the_help_of_every_command_has_an_example_that_it_understands(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = examples(COMMANDS[name])
    assert lines, f"{name} --help has no example"
    for line in lines:
        assert line.startswith(name), line
        understood(line)


LINES = sorted({(path.name, line) for path in DOCS for line in typed_lines(path.read_text(encoding="utf-8"))})


@pytest.mark.parametrize(("file", "line"), LINES, ids=lambda value: value[:50])
def test_every_command_in_the_documentation_is_understood(
    file: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    understood(line)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_a_line_that_no_command_takes_is_noticed() -> None:
    with pytest.raises(Exception, match="No such option"):
        understood("tuner run f --no-such-option")
