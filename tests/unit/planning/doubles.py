"""A Lambda of arithmetic for policies: idle environments answer first, new ones are cold, fresh blocks have none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tests.fakes import limits, price, snapshot
from tests.unit.statistics.factory import sample
from tuner.model import Architecture, Block, Cell, EngineKind, Plan, RunRequest, Sample, SamplingKind, Stop
from tuner.planning.plan import make_plan, sampling_of
from tuner.planning.sampling import SamplingPolicy

PRICES = {Architecture.X86_64: price()}
INIT_MS = 200.0


@dataclass
class FakeLambda:
    """Answers blocks with durations of ``duration_ms`` and relative noise; ``fresh_ms`` where given on versions that
    were published for a fresh block."""

    duration_ms: Callable[[int], float]
    fresh_ms: Callable[[int], float] | None = None
    noise: float = 0.02
    host_noise: float = 0.0
    seed: int = 1
    samples: list[Sample] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self._hosts: dict[Cell, list[float]] = {}
        self._versions: dict[Cell, int] = {}

    def run(self, policy: SamplingPolicy, *, most: int = 5000) -> Stop:
        while isinstance(block := policy.next_block(self.samples), Block):
            self.answer(block)
            assert len(self.samples) <= most
        return block

    def answer(self, block: Block) -> None:
        self.blocks.append(block)
        if block.fresh:
            for cell in block.cells:
                self._hosts[cell] = []
                self._versions[cell] = self._versions.get(cell, 0) + 1
        for number, wave in enumerate(block.waves):
            hosts = self._hosts.setdefault(wave.cell, [])
            idle = len(hosts)
            hosts.extend(self._rng.normal(0, self.host_noise) for _ in range(wave.size - idle))
            for call, host in enumerate(hosts[: wave.size]):
                self.samples.append(self._sample(block, number, wave.cell, host, cold=call >= idle))

    def _sample(self, block: Block, wave: int, cell: Cell, host: float, *, cold: bool) -> Sample:
        version = self._versions.setdefault(cell, 0)
        curve = self.duration_ms if version == 0 or self.fresh_ms is None else self.fresh_ms
        value = curve(cell.memory_mb) * math.exp(host + self._rng.normal(0, self.noise))
        return sample(
            cell.memory_mb,
            cell=cell,
            sequence=len(self.samples) + 1,
            block=block.number,
            wave=block.number * 100 + wave,
            version=f"{cell.memory_mb}/{version}",
            duration_ms=value,
            billed_ms=float(math.ceil(value + (INIT_MS if cold else 0.0))),
            init_ms=INIT_MS if cold else None,
        )


def plan_of(memory_mb: Sequence[int], *, concurrency: int = 100, current_mb: int = 512, **changes: object) -> Plan:
    request = RunRequest(
        function="thumbnail",
        engine=EngineKind.AWS,
        memory_mb=tuple(memory_mb),
        sampling=SamplingKind.ADAPTIVE,
    )
    asked = replace(request, **changes)  # type: ignore[arg-type]
    function = snapshot(memory_mb=current_mb)
    return make_plan(asked, function, limits(concurrency), PRICES, run_id="20261121T000000-abc")


def measured(plan: Plan, made: FakeLambda) -> tuple[Sample, ...]:
    """The samples of a whole run of ``plan``."""
    made.run(sampling_of(plan))
    return tuple(made.samples)
