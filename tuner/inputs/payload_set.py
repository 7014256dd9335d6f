"""Which event each invocation gets: one payload, or a weighted set, with placeholders filled in."""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from dataclasses import dataclass
from datetime import datetime

from tuner.errors import PayloadError
from tuner.inputs.payloads import payload_sha256

PLACEHOLDERS = (b"${uuid}", b"${index}", b"${now}")


_WEIGHT = re.compile(r"(?P<source>[^{\[\"].*)=(?P<weight>\d+(?:\.\d+)?)")


def split_weight(text: str) -> tuple[str, float]:
    """``a.json=3`` -> ("a.json", 3.0); without a weight it is 1. JSON text has none."""
    match = _WEIGHT.fullmatch(text)
    if match is None:
        return text, 1.0
    weight = float(match["weight"])
    if weight == 0:
        raise PayloadError(f"A payload with weight 0 is never sent: {match['source']}=0.", hint="Leave it out.")
    return match["source"], weight


@dataclass(frozen=True, slots=True)
class WeightedPayload:
    data: bytes
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class PayloadSet:
    """Payloads and how often each is sent, relative to the others.

    Inside a payload ``${uuid}`` becomes a fresh identifier, ``${index}`` the number of the invocation in the run
    and ``${now}`` its start in UTC.
    """

    payloads: tuple[WeightedPayload, ...]

    @classmethod
    def single(cls, data: bytes) -> PayloadSet:
        return cls((WeightedPayload(data),))

    @property
    def sha256(self) -> str:
        """Identifies the set: runs with another set are not comparable."""
        if len(self.payloads) == 1:
            return payload_sha256(self.payloads[0].data)
        parts = [f"{payload.weight}:{payload_sha256(payload.data)}" for payload in self.payloads]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def event(self, index: int, *, seed: int, now: datetime, uuid: str) -> bytes:
        """The event of invocation ``index``: the same choice for the same seed, so that a resumed run goes on as
        the first one would have."""
        data = self._choose(index, seed).data
        if b"${" not in data:
            return data
        values = (uuid.encode(), str(index).encode(), now.isoformat(timespec="milliseconds").encode())
        for placeholder, value in zip(PLACEHOLDERS, values, strict=True):
            data = data.replace(placeholder, value)
        return data

    def _choose(self, index: int, seed: int) -> WeightedPayload:
        if len(self.payloads) == 1:
            return self.payloads[0]
        ends = list(itertools.accumulate(payload.weight for payload in self.payloads))
        point = random.Random(f"{seed}/{index}").random() * ends[-1]  # noqa: S311 - a draw, not a secret
        return next(payload for payload, end in zip(self.payloads, ends, strict=True) if point < end)
