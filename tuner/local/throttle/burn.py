"""The calibration's process: computes, notices when it was held back, and says [CPU seconds, wall seconds].

It measures from one resumption to another, so that whole periods are compared and neither the full quota of a
fresh group nor a period cut in half counts. Says nothing where it was never held back.
"""

import json
import sys
import time

periods, period_s = int(sys.argv[1]), int(sys.argv[2]) / 1e6
first: tuple[float, float] | None = None
last: tuple[float, float] | None = None
clock, cpu = time.monotonic, time.thread_time
before_s = started_s = clock()
while clock() - started_s < (periods + 2) * period_s:
    now_s = clock()
    if now_s - before_s > period_s / 10:
        last = (now_s, cpu())
        first = first or last
    before_s = now_s
if first is not None and last is not None and first is not last:
    sys.stdout.write(json.dumps([last[1] - first[1], last[0] - first[0]]))
