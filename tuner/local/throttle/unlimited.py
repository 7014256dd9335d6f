"""No CPU limit: every memory size runs at full speed, and the mechanism's name says so wherever it is shown."""

from __future__ import annotations

from tuner.local.throttle.signals import SignalCage


class Unlimited:
    mechanism = "none: CPU is not limited on this machine, durations do not depend on memory"

    def cage(self, _name: str, memory_mb: int) -> SignalCage:
        return _Unlimited(memory_mb)

    async def close(self) -> None: ...


class _Unlimited(SignalCage):
    """Memory is still watched, and the processes are still ended together."""

    def limit_cpu(self, cores: float | None) -> None: ...
