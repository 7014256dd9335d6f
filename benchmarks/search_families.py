"""Simulated functions: families of curves with parameters drawn for each seed, and published curves with noise.

``usual`` families are those of the protocol; ``unusual`` ones are what nobody listed and a
search still meets: functions of a few ms, many threads, hosts that differ wildly, mixtures of requests, curves that
keep to no law. Parameters are drawn from wide ranges, so that no constant can be right for all of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.worlds import REGION, Environment, FloatArray, Truth, World
from tuner.model import FULL_VCPU_MB, Architecture, Price
from tuner.pricing import cost_per_million_usd, price_for

SMOOTH_MB = tuple(range(128, 3009, 64))
FINE_MB = tuple(range(128, 1850, 9))
WIDE_MB = tuple(range(128, 10_241, 128))
PERIOD_MS = 20.0
TRUTH_CALLS = 500
FEWEST_SIZES = 4
LEAST_STEP = 1.15
"""Published curves with sizes closer than this show the luck of single calls, not the function."""
OUTLIER_AT = 1.5
"""Beyond this factor a call was held up; below it, it had a little more to do."""

Range = tuple[float, float]
Curve = Callable[[int, float], float]
"""Duration in ms at a memory size on a host that takes so many times the usual CPU time."""


@dataclass(frozen=True, slots=True)
class _Noise:
    """How calls scatter about the curve. Factors are relative, ``drift`` is the change over a run."""

    host_factors: tuple[float, ...]
    environment_sd: float
    call_sd: float
    outlier_rate: float
    outlier_factor: float
    drift: float
    heavy: float
    """How many times the work of a light request a heavy one is; every third request is heavy."""

    def environment(self, rng: np.random.Generator) -> float:
        return float(rng.choice(self.host_factors) * np.exp(rng.normal(0, self.environment_sd)))

    def call(self, rng: np.random.Generator, progress: float) -> float:
        factor = float(np.exp(rng.normal(0, self.call_sd)))
        if rng.random() < self.outlier_rate:
            factor *= 1 + self.outlier_factor * rng.exponential()
        return factor * (1 + self.drift * math.sin(math.tau * progress))

    def work(self, rng: np.random.Generator) -> float:
        """How much more than usual one request has to do."""
        return self.heavy if self.heavy > 1 and rng.random() < 1 / 3 else 1.0


@dataclass(frozen=True, slots=True)
class _Family:
    """``stepped``: what varies from call to call is the work, which moves a call over the edge of a step."""

    curve: Callable[[np.random.Generator], Curve]
    kind: str = "smooth"
    sizes: tuple[int, ...] = SMOOTH_MB
    hosts: tuple[float, ...] = (1.0,)
    environment_sd: Range = (0.01, 0.08)
    call_sd: Range = (0.01, 0.08)
    outlier_rate: Range = (0.003, 0.003)
    drift: Range = (0.0, 0.0)
    heavy: Range = (1.0, 1.0)
    stepped: bool = False
    largest_wave: int = 6

    def noise(self, rng: np.random.Generator) -> _Noise:
        outlier_rate = _within(self.outlier_rate, rng)
        return _Noise(
            host_factors=self.hosts,
            outlier_rate=outlier_rate,
            environment_sd=_within(self.environment_sd, rng),
            call_sd=_within(self.call_sd, rng),
            outlier_factor=float(rng.uniform(0.5, 4)),
            drift=_within(self.drift, rng),
            heavy=_within(self.heavy, rng),
        )


def _within(bounds: Range, rng: np.random.Generator) -> float:
    """A uniform number; a range of one value takes no luck, so that the other parameters stay what they were."""
    low, high = bounds
    return low if low == high else float(rng.uniform(low, high))


def simulated_worlds(seed: int, *, unusual: bool = False) -> list[World]:
    """One world of each usual or unusual family, with parameters of this seed."""
    families, first = (UNUSUAL, 2000) if unusual else (USUAL, 1000)
    worlds = []
    for number, (name, family) in enumerate(families.items()):
        rng = np.random.default_rng([seed, first + number])
        worlds.append(_world(f"simulated/{name}", family, family.curve(rng), rng))
    return worlds


def curve_worlds(path: Path, seed: int) -> list[World]:
    """Published curves of means, each with simulated noise about it; the candidates are the published sizes."""
    worlds = []
    for number, row in enumerate(json.loads(path.read_text(encoding="utf-8"))["runs"]):
        duration_ms = dict(zip(row["memory_mb"], row["duration_ms"], strict=True))
        if len(duration_ms) < FEWEST_SIZES or _step(duration_ms) < LEAST_STEP:
            continue
        rng = np.random.default_rng([seed, 3000 + number])
        family = _Family(_power, kind="published", sizes=tuple(sorted(duration_ms)))
        worlds.append(_world(f"published/{row['id']}", family, _published(duration_ms), rng))
    return worlds


def _step(sizes: Iterable[int]) -> float:
    """The typical ratio of one size to the next."""
    ordered = sorted(sizes)
    return float(np.median(np.divide(ordered[1:], ordered[:-1])))


def _published(duration_ms: Mapping[int, float]) -> Curve:
    return lambda memory_mb, host: duration_ms[memory_mb] * host


def _world(name: str, family: _Family, curve: Curve, rng: np.random.Generator) -> World:
    noise = family.noise(rng)
    price = price_for(REGION, Architecture.X86_64)
    init_ms, first_work = float(np.exp(rng.normal(math.log(180), 0.5))), float(rng.uniform(0, 0.6))

    def start(memory_mb: int, rng: np.random.Generator) -> Environment:
        host = noise.environment(rng)
        # The first call does more work: lazy imports, connections, just-in-time compilation.
        cold_ms = curve(memory_mb, host * noise.work(rng)) * (1 + first_work * rng.uniform(0.7, 1.3))
        init = init_ms * host * float(np.exp(rng.normal(0, 0.1)))
        return Environment(
            (cold_ms, init), lambda rng, progress: _call_ms(curve, memory_mb, host, noise, rng, progress, family)
        )

    truth = {memory_mb: _truth(curve, memory_mb, noise, price, family) for memory_mb in family.sizes}
    return World(name, family.kind, price, truth, start, family.largest_wave)


def _call_ms(
    curve: Curve,
    memory_mb: int,
    host: float,
    noise: _Noise,
    rng: np.random.Generator,
    progress: float,
    family: _Family,
) -> float:
    factor = noise.call(rng, progress)
    if not family.stepped:
        return curve(memory_mb, host * noise.work(rng)) * factor
    work = float(np.exp(rng.normal(0, noise.call_sd)))
    return curve(memory_mb, host * work) * (1 if factor < OUTLIER_AT else factor)


def _truth(curve: Curve, memory_mb: int, noise: _Noise, price: Price, family: _Family) -> Truth:
    rng = np.random.default_rng(12345)  # the same luck at every size, so that differences are exact
    calm = replace(noise, drift=0.0)
    calls = [_call_ms(curve, memory_mb, calm.environment(rng), calm, rng, 0.0, family) for _ in range(TRUTH_CALLS)]
    return Truth(cost_per_million_usd(float(np.ceil(calls).mean()), memory_mb, price), 0.0)


def _scale_ms(rng: np.random.Generator) -> float:
    """Duration of the whole work at one vCPU: 30 ms to 8 s."""
    return _log_uniform(rng, 30, 8000)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(math.log(low), math.log(high))))


def _power(rng: np.random.Generator) -> Curve:
    total, waiting, power = _scale_ms(rng), float(rng.beta(0.7, 0.7)), float(rng.uniform(0.8, 1.25))

    def curve(memory_mb: int, host: float) -> float:
        share = min(memory_mb, FULL_VCPU_MB) / FULL_VCPU_MB
        return float(total * (waiting + (1 - waiting) * host * share**-power))

    return curve


def _exponential(rng: np.random.Generator) -> Curve:
    total, gain, decay_mb = _scale_ms(rng), _log_uniform(rng, 0.3, 10), _log_uniform(rng, 100, 1200)
    return lambda memory_mb, host: total * host * (1 + gain * math.exp(-(memory_mb - 128) / decay_mb))


def _amdahl(rng: np.random.Generator) -> Curve:
    total, parallel = _scale_ms(rng), float(rng.uniform(0.3, 1.0))

    def curve(memory_mb: int, host: float) -> float:
        vcpus = memory_mb / FULL_VCPU_MB
        return total * host * (1 / vcpus if vcpus < 1 else (1 - parallel) + parallel / vcpus)

    return curve


def _waiting(rng: np.random.Generator) -> Curve:
    total, work = _scale_ms(rng), float(rng.uniform(0, 0.03))
    return lambda memory_mb, host: total * (1 + work * host / min(1.0, memory_mb / FULL_VCPU_MB))


def _cliff(rng: np.random.Generator) -> Curve:
    smooth, edge_mb, factor = _power(rng), float(rng.uniform(180, 900)), float(rng.uniform(1.5, 6))
    return lambda memory_mb, host: smooth(memory_mb, host) * (factor if memory_mb < edge_mb else 1)


def _staircase(rng: np.random.Generator) -> Curve:
    """CPU quota of 20 ms periods: full periods, then a remainder that counts fully, partly or not at all."""
    work_ms = _log_uniform(rng, 5, 200)
    return _steps(work_ms, float(rng.uniform(0.93, 1.0)), float(rng.uniform(0, 1)), float(rng.uniform(0.5, 2)))


def _local_staircase(rng: np.random.Generator) -> Curve:
    """A strict quota, fresh when the call begins, as the embedded Lambda has it: no tick is lent."""
    return _steps(_log_uniform(rng, 5, 200), float(rng.uniform(0.99, 1.0)), 1.0, 0.3)


def _waiting_staircase(rng: np.random.Generator) -> Curve:
    steps, waiting_ms = _staircase(rng), _log_uniform(rng, 1, 150)
    return lambda memory_mb, host: waiting_ms + steps(memory_mb, host)


def _tiny(rng: np.random.Generator) -> Curve:
    """Half a millisecond to 6 ms, of which some is waiting: rounding decides."""
    steps = _steps(_log_uniform(rng, 0.3, 4), float(rng.uniform(0.93, 1.0)), float(rng.uniform(0, 1)), 0.5)
    waiting_ms = float(rng.uniform(0.2, 2))
    return lambda memory_mb, host: waiting_ms + steps(memory_mb, host)


def _steps(work_ms: float, slack: float, share: float, extra_ms: float) -> Curve:
    def curve(memory_mb: int, host: float) -> float:
        work, quota_ms = work_ms * host, PERIOD_MS * min(1.0, memory_mb / FULL_VCPU_MB)
        if quota_ms >= PERIOD_MS or work * slack <= quota_ms:
            return work
        throttled = math.ceil(work * slack / quota_ms) - 1
        remainder = max(0.0, work - throttled * quota_ms)
        return max(work, PERIOD_MS * throttled + max(extra_ms, share * remainder))

    return curve


def _threads(rng: np.random.Generator) -> Curve:
    """Up to six vCPUs in use, on sizes up to the largest."""
    total, parallel = _scale_ms(rng), float(1 - rng.beta(1, 6))

    def curve(memory_mb: int, host: float) -> float:
        vcpus = memory_mb / FULL_VCPU_MB
        return total * host * (1 / vcpus if vcpus < 1 else (1 - parallel) + parallel / vcpus)

    return curve


def _lawless(rng: np.random.Generator) -> Curve:
    """A power law with waves and with a per cent or two of its own at every size."""
    power, sizes = _power(rng), np.array(SMOOTH_MB, dtype=np.float64)
    wave, own = float(rng.uniform(0.01, 0.06)), float(rng.uniform(0, 0.02))
    stray = _waves(np.log(sizes), wave, float(rng.uniform(0.3, 1.0)), rng) + rng.normal(0, own, sizes.size)
    factor = dict(zip(SMOOTH_MB, np.exp(stray), strict=True))
    return lambda memory_mb, host: power(memory_mb, host) * float(factor[memory_mb])


def _waves(x: FloatArray, sd: float, length: float, rng: np.random.Generator) -> FloatArray:
    """A Gaussian process with squared exponential covariance, by random Fourier features."""
    frequency, phase = rng.normal(0, 1 / length, 200), rng.uniform(0, math.tau, 200)
    waves = np.cos(np.outer(x, frequency) + phase) @ rng.normal(0, 1, 200)
    return np.asarray(sd * math.sqrt(2 / 200) * waves)


def _collector(rng: np.random.Generator) -> Curve:
    """Garbage collection near the floor: its share of the work falls with the room left above what is live."""
    smooth, live_mb, effort = _power(rng), float(rng.uniform(60, 110)), float(rng.uniform(0.05, 1.0))
    return lambda memory_mb, host: smooth(memory_mb, host) * (1 + effort * live_mb / (memory_mb - live_mb))


USUAL: Mapping[str, _Family] = {
    "power law": _Family(_power),
    "exponential": _Family(_exponential),
    "amdahl": _Family(_amdahl),
    "flat": _Family(_waiting),
    "cliff": _Family(_cliff, kind="cliff"),
    "bimodal hosts": _Family(_power, hosts=(1.0,) * 8 + (1.18, 0.87)),
    "heavy tail": _Family(_power, outlier_rate=(0.01, 0.06)),
    "drift": _Family(_power, drift=(-0.08, 0.08)),
    "staircase": _Family(
        _staircase,
        kind="staircase",
        sizes=FINE_MB,
        hosts=(1.0,) * 18 + (1.05, 0.96),
        environment_sd=(0.003, 0.024),
        call_sd=(0.005, 0.04),
        stepped=True,
    ),
}
_STEPPED = replace(USUAL["staircase"], kind="unusual")
UNUSUAL: Mapping[str, _Family] = {
    name: replace(family, kind="unusual")
    for name, family in {
        "lawless": _Family(_lawless),
        "threads": _Family(_threads, sizes=WIDE_MB),
        "collector": _Family(_collector),
        "unlike hosts": _Family(_power, environment_sd=(0.1, 0.25)),
        "one at a time": _Family(_power, largest_wave=1),
        "light and heavy": _Family(_power, heavy=(1.5, 5.0)),
        "strong drift": _Family(_power, drift=(-0.25, 0.25)),
        "tiny": replace(_STEPPED, curve=_tiny),
        "staircase and waiting": replace(_STEPPED, curve=_waiting_staircase),
        "strict staircase": replace(_STEPPED, curve=_local_staircase, outlier_rate=(0.0, 0.05)),
    }.items()
}
