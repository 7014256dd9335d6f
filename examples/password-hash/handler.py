"""CPU-bound: a login that verifies a password and stores it afresh, two hashes of as many rounds as OWASP asks for.

About 230 ms of CPU on a current server core, in native code: many scheduling periods long at every size below
1769 MB, so its duration follows 1/memory closely.
"""

import hashlib

ITERATIONS = 600_000


def derive(password, salt, rounds):
    return hashlib.pbkdf2_hmac("sha256", password, salt, rounds)


def handler(event, context):
    rounds = event.get("iterations", ITERATIONS)
    password = b"correct horse battery staple"
    known = derive(password, b"the salt of then", rounds)
    fresh = derive(password, b"a salt of today.", rounds)
    return {"verified": known != fresh, "hash": fresh.hex(), "iterations": rounds}
