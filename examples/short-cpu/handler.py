"""Short and CPU-bound: works until 17 ms of CPU time are used.

A fixed CPU time, not a fixed amount of work: 17 ms are less than one 20 ms period of Lambda's CPU scheduler, so
the duration is a staircase in memory, and its steps must not wander with the speed of the machine.
"""

import hashlib
import time

CPU_MS = 17.0
BLOCK = bytes(4096)


def handler(event, context):
    budget_s = event.get("cpu_ms", CPU_MS) / 1000
    started_s = time.thread_time()
    blocks = 0
    while time.thread_time() - started_s < budget_s:
        hashlib.sha256(BLOCK)
        blocks += 1
    return {"blocks": blocks}
