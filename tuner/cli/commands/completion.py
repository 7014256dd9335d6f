"""``tuner completion``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="bash, zsh or fish.", metavar="SHELL")]) -> None:
    """Print what a shell needs to complete commands, options, events, sizes and the functions of tuner.toml.

    Nothing is ever asked of AWS for it.

    Examples:

      tuner completion bash > ~/.local/share/bash-completion/completions/tuner

      tuner completion zsh > ~/.zfunc/_tuner

      tuner completion fish > ~/.config/fish/completions/tuner.fish
    """
    from tuner.cli.completion import completion_script

    print(completion_script(shell.value))
