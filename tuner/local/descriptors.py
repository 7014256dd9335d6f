"""File descriptors: how many this process may have. Each connection takes one, each environment three or four."""

from __future__ import annotations

import resource

WANTED = 16 * 1024


def raise_limit() -> int:
    """Have as many as are of use and the system allows; returns how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        return allowed
    return WANTED if soft == resource.RLIM_INFINITY else soft
