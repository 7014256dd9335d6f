"""A folder as it was at a git reference, for ``--local --base main``: packed by git, nothing is checked out."""

from __future__ import annotations

import re
import shlex
import stat
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tuner.errors import UsageError
from tuner.model import Notice, Severity

GIT_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Reference:
    """A commit, and where in it the function's folder is."""

    folder: Path
    name: str
    commit: str
    prefix: str
    """Path of the folder inside its repository; empty for the repository itself."""

    @property
    def label(self) -> str:
        """For a function's name: ``main``, ``v1-2``."""
        return re.sub(r"[^a-zA-Z0-9_-]+", "-", self.name).strip("-") or self.commit[:12]


def find_reference(folder: Path, name: str) -> Reference:
    """UsageError where git, the repository, the reference or the folder in it cannot be found."""
    if not folder.is_dir():
        raise UsageError(
            f"{name!r} is no folder, and {folder} is none either in which it could be a git reference.",
            hint="Give two folders: tuner gate --local --base OLD --head NEW.",
        )
    inside = _git(folder, "rev-parse", "--show-prefix")
    if inside.returncode:
        raise UsageError(
            f"{name!r} is no folder, and {folder} is not in a git repository: {_said(inside)}",
            hint="Give --base the folder of the code to compare with.",
        )
    found = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if found.returncode:
        raise UsageError(
            f"{name!r} is neither a folder nor a commit, branch or tag of the repository of {folder}.",
            hint="In CI the base branch may not be there: `git fetch origin main`, then --base origin/main.",
        )
    return Reference(folder, name, found.stdout.decode().strip(), inside.stdout.decode().strip())


@contextmanager
def packed(reference: Reference) -> Iterator[Path]:
    """The folder of a reference as a zip file, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tuner-base-") as temporary:
        target = Path(temporary) / "base.zip"
        tree = f"{reference.commit}:{reference.prefix.rstrip('/')}"
        made = _git(_top(reference.folder), "archive", "--format=zip", "-0", f"--output={target}", tree)
        if made.returncode:
            raise UsageError(
                f"{reference.name} has no folder {reference.prefix or '.'}: {_said(made)}",
                hint="Was the function added later? Then there is nothing to compare it with.",
            )
        _refuse_links(target, reference)
        yield target


def reference_notices(reference: Reference) -> tuple[Notice, ...]:
    """What the working tree has and no commit can have: built files and installed dependencies that git ignores."""
    listed = _git(reference.folder, "status", "--porcelain", "--ignored", ".")
    ignored = [line[3:] for line in listed.stdout.decode("utf-8", "replace").splitlines() if line.startswith("!! ")]
    ours = [path for path in ignored if not path.rstrip("/").endswith(("__pycache__", ".pyc"))]
    if not ours:
        return ()
    return (
        Notice(
            code="git-ignored-files",
            severity=Severity.WARNING,
            message=f"Head holds files that git ignores ({', '.join(ours[:3])}{', ...' if len(ours) > 3 else ''}); "
            f"base, packed from {reference.name}, cannot hold them.",
            remedy="If the function needs them, build both in folders of their own and give those.",
        ),
    )


def _refuse_links(archive: Path, reference: Reference) -> None:
    with zipfile.ZipFile(archive) as opened:
        links = [entry.filename for entry in opened.infolist() if stat.S_ISLNK(entry.external_attr >> 16)]
    if links:
        command = f"git worktree add ../base {shlex.quote(reference.name)}"
        raise UsageError(
            f"{reference.name} holds symbolic links ({links[0]}), which cannot be followed in a packed commit.",
            hint=f"Check it out (`{command}`) and give that folder as --base.",
        )


def _top(folder: Path) -> Path:
    return Path(_git(folder, "rev-parse", "--show-toplevel").stdout.decode().strip())


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - git, with arguments that are no shell
            ["git", "-C", str(folder), *arguments],  # noqa: S607
            capture_output=True,
            check=False,
            timeout=GIT_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git cannot be run: {error}.", hint="Install git, or give --base a folder.") from error


def _said(result: subprocess.CompletedProcess[bytes]) -> str:
    return result.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ") or "git says no more"
