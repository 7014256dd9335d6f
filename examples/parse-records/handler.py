"""Memory and CPU: decodes records, groups them, keeps them all in memory while it does."""

import json
import random

RECORDS = 60_000


def make_lines(count):
    """The input, as a function would read it from a queue or a bucket; made once, during init."""
    chance = random.Random(7)
    return [
        json.dumps({"id": number, "customer": chance.randrange(500), "cents": chance.randrange(10_000)})
        for number in range(count)
    ]


LINES = make_lines(RECORDS)


def handler(event, context):
    records = [json.loads(line) for line in LINES[: event.get("records", RECORDS)]]
    totals = {}
    for record in records:
        totals[record["customer"]] = totals.get(record["customer"], 0) + record["cents"]
    best = max(totals, key=totals.get)
    return {"records": len(records), "customers": len(totals), "best_customer": best, "cents": totals[best]}
