"""I/O-bound: waits 120 ms, as a function that calls another service does, and computes nothing."""

import time

WAIT_MS = 120.0


def handler(event, context):
    time.sleep(event.get("wait_ms", WAIT_MS) / 1000)
    return {"waited_ms": event.get("wait_ms", WAIT_MS)}
