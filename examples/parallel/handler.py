"""Parallel: four password hashes on four threads. They release the interpreter lock, so more vCPUs help."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

TASKS = 4
ITERATIONS = 200_000


def hash_one(number):
    return hashlib.pbkdf2_hmac("sha256", b"correct horse battery staple", number.to_bytes(16, "big"), ITERATIONS)


def handler(event, context):
    tasks = event.get("tasks", TASKS)
    with ThreadPoolExecutor(max_workers=tasks) as threads:
        hashes = list(threads.map(hash_one, range(tasks)))
    return {"hashes": len(hashes)}
