"""What the command line's words mean."""

import pytest

from tuner.cli.inputs import read_architectures
from tuner.errors import UsageError
from tuner.model import Architecture

X86, ARM = Architecture.X86_64, Architecture.ARM64


@pytest.mark.parametrize(
    ("text", "meant"),
    [(None, ()), ("arm64", (ARM,)), ("arm64, x86_64", (ARM, X86)), ("both", (X86, ARM))],
)
def test_architectures_are_names_with_commas_or_both(text: str | None, meant: tuple[Architecture, ...]) -> None:
    assert read_architectures(text) == meant


def test_another_architecture_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="'riscv' is no architecture") as refused:
        read_architectures("riscv")
    assert refused.value.hint == "Use --arch x86_64, arm64 or both."
