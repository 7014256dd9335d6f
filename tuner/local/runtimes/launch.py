"""How a runtime is started: a value that every language's module returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """``variables`` are those that the runtime itself brings along; the function's own ones come before them."""

    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
