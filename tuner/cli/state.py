"""Where runs keep what must outlive them: plans, journals, samples."""

from __future__ import annotations

import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from tuner.errors import TargetError


def state_folder() -> Path:
    """``TUNER_STATE_DIR``, else the user's state folder on this system."""
    named = os.environ.get("TUNER_STATE_DIR")
    return Path(named) if named else Path(platformdirs.user_state_dir("tuner", appauthor=False))


def runs_folder() -> Path:
    return state_folder() / "runs"


def local_folder() -> Path:
    """What embedded Lambdas keep while they run."""
    return state_folder() / "local"


RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{6}")
"""As ``new_run_id`` makes them. One that was read becomes a part of a name only if it is one of these."""


def new_run_id(now: datetime | None = None) -> str:
    """Sorts by time and is unique across machines: it marks versions in a shared account."""
    moment = now or datetime.now(UTC)
    return f"{moment:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def writable_state_folder() -> Path:
    """The state folder, made if needed. TargetError if the journal could not be kept there: then nothing may run."""
    folder = state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise TargetError(
            f"The state folder {folder} cannot be written: {error.strerror}.",
            hint="Without it a run could not be undone after a crash. Set TUNER_STATE_DIR to a folder you own.",
        ) from error
    return folder
