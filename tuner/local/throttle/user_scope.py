"""Asking systemd for a control group of one's own: the way to cgroup v2 for a user who is not root."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

VARIABLES = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")
"""What systemd-run needs to find the user's service manager."""

PREFIX = ("systemd-run", "--user", "--scope", "--quiet", "--collect", "-p", "Delegate=yes", "--")
"""Before a command: it runs in a delegated scope, as the same process (systemd-run executes it in its place)."""

_UNIFIED = Path("/sys/fs/cgroup/cgroup.controllers")
_ASK_LIMIT_S = 3.0


def available() -> bool:
    """A scope was really handed out. Root does not need one; without the unified hierarchy it would limit nothing."""
    if os.geteuid() == 0 or not _UNIFIED.exists() or shutil.which(PREFIX[0]) is None:
        return False
    try:
        tried = subprocess.run([*PREFIX, "true"], capture_output=True, timeout=_ASK_LIMIT_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0
