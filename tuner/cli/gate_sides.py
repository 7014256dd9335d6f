"""The two sides of a gate: what was typed as --base and --head, and where it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.aws.arms import read_arm
from tuner.aws.session import resolve_region
from tuner.cli.gate_git import Reference, find_reference, packed, reference_notices
from tuner.cli.inputs import FunctionOptions, flags
from tuner.cli.place import Place, aws_place
from tuner.errors import UsageError
from tuner.inputs.identifiers import parse_function
from tuner.model import FunctionSnapshot, FunctionTarget, Notice
from tuner.planning.gate_plan import Sides

LATEST = "$LATEST"
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SideOptions:
    """What is compared, as it was typed."""

    function: str | None
    base: str | None
    head: str | None
    baseline: Path | None
    any_runtime: bool

    def check(self, *, local: bool) -> None:
        """UsageError for sides that contradict each other or are missing."""
        if self.base is None and self.baseline is None:
            raise UsageError(
                "There is nothing to compare with: --base is missing.",
                hint="Add --base prod (an alias), --base 41 (a version), another function or, with --local, a folder "
                "or a git reference.",
            )
        if self.base is not None and self.baseline is not None:
            raise UsageError("--base and --baseline both name the base.", hint="Leave one of them out.")
        if self.function is None and self.head is None:
            what = "a folder" if local else "a function"
            raise UsageError("--head is missing.", hint=f"Name {what} first, or give --head.")

    def words(self) -> list[str]:
        words = [] if self.function is None else [self.function]
        words += flags({"--base": self.base, "--head": self.head, "--baseline": self.baseline})
        return [*words, "--any-runtime"] if self.any_runtime else words


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """Where both sides are, ready to be invoked."""

    place: Place
    sides: Sides
    notices: tuple[Notice, ...] = ()

    def now(self) -> Sides:
        """Both sides as they are at this moment: whoever deployed meanwhile is found out."""
        access, sides = self.place.access, self.sides
        base = None if sides.base is None else read_arm(access, _target(sides.base))
        return replace(sides, base=base, head=read_arm(access, _target(sides.head)))


@contextmanager
def arena(options: SideOptions, where: FunctionOptions, memory_mb: tuple[int, ...]) -> Iterator[Arena]:
    """Reach both sides; with ``--local`` they are made there, and gone afterwards."""
    if where.local:
        with _local(options, where, memory_mb) as found:
            yield found
    else:
        yield _on_aws(options, where, memory_mb)


def head_name(options: SideOptions, *, local: bool) -> str:
    """The name of the function, as the configuration knows it."""
    if local:
        return _plain_name(Path(options.head or options.function or ".").resolve().stem)
    if options.function is not None:
        return parse_function(options.function).name
    return parse_function(options.head or "").name


def _on_aws(options: SideOptions, where: FunctionOptions, memory_mb: tuple[int, ...]) -> Arena:
    head = _named(options.function, options.head or LATEST)
    base = None if options.base is None else _named(options.function, options.base)
    place = aws_place(head, where, memory_mb)
    if base is not None and resolve_region(base, region=where.region, profile=where.profile) != place.access.region:
        raise UsageError("Base and head are in different regions.", hint="Compare functions of one region.")
    sides = Sides(
        base=None if base is None else read_arm(place.access, base),
        head=read_arm(place.access, head),
        any_runtime=options.any_runtime,
    )
    return Arena(place=place, sides=sides)


def _named(function: str | None, side: str) -> FunctionTarget:
    """A qualifier of FUNCTION, or a function of its own."""
    if function is None or ":" in side:
        return parse_function(side)
    return replace(parse_function(function), qualifier=side)


@contextmanager
def _local(options: SideOptions, where: FunctionOptions, memory_mb: tuple[int, ...]) -> Iterator[Arena]:
    from tuner.cli.local import embedded_place, read_local
    from tuner.local.package import LocalFunction

    folder = Path(options.head or options.function or ".")
    head = replace(read_local(where, folder), name=head_name(options, local=True))
    functions: list[LocalFunction] = [head]
    notices: tuple[Notice, ...] = ()
    with ExitStack() as stack:
        if options.base is not None:
            found = _local_base(options.base, folder)
            notices = reference_notices(found) if isinstance(found, Reference) else ()
            path = stack.enter_context(packed(found)) if isinstance(found, Reference) else found
            label = found.label if isinstance(found, Reference) else found.resolve().stem
            functions.append(replace(read_local(where, path), name=_beside(head.name, label)))
        place = stack.enter_context(embedded_place(where, memory_mb or (where.current_memory_mb,), functions))
        found_now = [read_arm(place.access, FunctionTarget(name=function.name)) for function in functions]
        sides = Sides(
            base=found_now[1] if len(found_now) > 1 else None,
            head=found_now[0],
            disposable=True,
            any_runtime=options.any_runtime,
        )
        yield Arena(place=place, sides=sides, notices=notices)


def _local_base(text: str, head: Path) -> Path | Reference:
    """A folder or zip file wins over a git reference of the same name."""
    path = Path(text)
    return path if path.exists() else find_reference(head, text)


def _beside(head: str, label: str) -> str:
    """A name for base that is not head's and says where it comes from."""
    name = _plain_name(label)
    if name == head:
        return f"{head[: _LONGEST_NAME - 5]}-base"
    return name if name.startswith(head) else f"{head}-{name}"[:_LONGEST_NAME]


def _plain_name(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]+", "-", text).strip("-")[:_LONGEST_NAME] or "function"


def _target(function: FunctionSnapshot) -> FunctionTarget:
    return FunctionTarget(name=function.name, qualifier=function.qualifier)
