"""Writes docs/reference.md from the code: ``python tests/docs/renew.py``. A test compares the two."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import typer

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference.md"

EXIT_CODES = {
    "OK": "what was asked for was done; a gate passes",
    "INTERNAL": "a mistake in tuner itself: please report it",
    "USAGE": "the command line, or a file given on it, is wrong",
    "REGRESSION": "a gate has shown a regression",
    "INCONCLUSIVE": "the data do not decide: a gate, or a limit of `tuner run`, with the calls allowed",
    "BUDGET": "an absolute limit is surely exceeded",
    "INVALID": "the measurement gave no usable number",
    "CLEAN_UP_INCOMPLETE": "the function may not be as it was: type `tuner recover`",
    "TARGET": "configuration, credentials or the function itself stand in the way",
    "INTERRUPTED": "Ctrl-C, SIGTERM or a closed terminal; everything was put back",
}
HEAD = """\
# Reference

Made from the code by `python tests/docs/renew.py`; a test compares it with what the commands say. An option of a
command that takes a configuration can also stand in [tuner.toml](configuration.md) under its long name, or in the
variable named here.
"""


def commands(command: Any, name: str = "tuner") -> Iterator[tuple[str, Any]]:
    """Every command with what is typed for it, groups before their commands. `tuner run --all` is part of run."""
    yield name, command
    for part, inner in sorted(getattr(command, "commands", {}).items()):
        if not inner.hidden:
            yield from commands(inner, f"{name} {part}")


def root() -> Any:
    from tuner.cli.app import app

    return typer.main.get_command(app)


def error_slugs() -> dict[str, int]:
    """The slug of every error with its exit code."""
    from tuner.errors import TunerError

    for path in sorted((ROOT / "tuner").rglob("*.py")):
        if any(_slugs(path)):
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    found: dict[str, int] = {}
    waiting = [TunerError]
    while waiting:
        kind = waiting.pop()
        found[kind.slug] = int(kind.exit_code)
        waiting += kind.__subclasses__()
    return dict(sorted(found.items()))


def _slugs(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for statement in node.body if isinstance(node, ast.ClassDef) else ():
            targets = statement.targets if isinstance(statement, ast.Assign) else ()
            if any(isinstance(target, ast.Name) and target.id == "slug" for target in targets):
                yield node.name if isinstance(node, ast.ClassDef) else ""


def reference() -> str:
    parts = [HEAD, *(_command(name, command) for name, command in commands(root())), _exit_codes(), _errors()]
    return "\n".join(parts)


def _command(name: str, command: Any) -> str:
    text = [f"## {name}", "", _prose(command.help or ""), ""]
    rows = [row for parameter in command.params for row in _parameter(name, parameter)]
    if rows:
        text += ["| option | default | meaning |", "|---|---|---|", *rows, ""]
    return "\n".join(text)


def _prose(help_text: str) -> str:
    """The paragraphs of a help text, its examples as one block."""
    prose, _, examples = help_text.partition("Example")
    lines = [line.strip() for line in examples.splitlines()[1:] if line.strip()]
    block = ["```console", *(f"$ {line}" for line in lines), "```"] if lines else []
    return "\n".join([prose.strip(), *([""] if block else []), *block])


def _parameter(name: str, parameter: Any) -> Iterator[str]:
    if parameter.name in {"install_completion", "show_completion", "help"}:
        return
    words = parameter.opts if parameter.param_type_name == "option" else [parameter.metavar or parameter.name.upper()]
    shown = ", ".join(f"`{word}`" for word in words)
    yield f"| {shown} | {_default(parameter)} | {_cell(_meaning(name, parameter))} |"


def _meaning(name: str, parameter: Any) -> str:
    from tuner.cli.configured import CONFIGURED, parameters
    from tuner.inputs.config import variable_name

    text = parameter.help or ""
    choices = _choices(parameter)
    if choices and not any(choice in text for choice in choices):
        text += f" One of {', '.join(choices)}."
    command = name.removeprefix("tuner ")
    if command in CONFIGURED:
        keys = [key for key, found in parameters(root().commands[command]).items() if found.name == parameter.name]
        text += "".join(f" `{variable_name(key)}`" for key in keys[:1])
    return text


def _choices(parameter: Any) -> list[str]:
    kind = parameter.type_descriptor.annotation
    inner = get_args(kind)[0] if get_args(kind) else kind
    return [str(member.value) for member in inner] if isinstance(inner, type) and issubclass(inner, Enum) else []


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = getattr(parameter.default, "value", parameter.default)
    if value is None or value is False or value == [] or callable(value):
        return ""
    return f"`{value}`"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def _exit_codes() -> str:
    from tuner.errors import ExitCode

    rows = [f"| {int(code)} | {EXIT_CODES[code.name]} |" for code in ExitCode]
    return "\n".join(["## Exit codes", "", "| code | meaning |", "|---|---|", *rows, ""])


def _errors() -> str:
    rows = [f"| [{slug}](troubleshooting.md#{slug}) | {code} |" for slug, code in error_slugs().items()]
    return "\n".join(["## Errors", "", "| error | exit code |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    REFERENCE.write_text(reference(), encoding="utf-8")
