"""CPU-bound: one password hash, as many rounds as OWASP asks for (about 110 ms of CPU on a current server core)."""

import hashlib

ITERATIONS = 600_000


def handler(event, context):
    rounds = event.get("iterations", ITERATIONS)
    key = hashlib.pbkdf2_hmac("sha256", b"correct horse battery staple", b"a salt of 16 b..", rounds)
    return {"hash": key.hex(), "iterations": rounds}
