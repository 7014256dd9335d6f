"""Node.js handlers, CommonJS and ES modules, run by a small runtime of our own (``files/node_runtime.mjs``).

AWS's own client needs a native build; this one has no dependencies. The AWS SDK for JavaScript, which Lambda's
image contains, is not here: a package that needs it has to bring it along.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tuner.local.runtimes.launch import Launch
from tuner.local.runtimes.version_managers import executables_below

_RUNTIME = Path(__file__).parent / "files" / "node_runtime.mjs"
_VERSION = re.compile(r"v(\d+)\.\d+\.\d+")
_ASK_LIMIT_S = 5.0


@cache
def executables() -> dict[str, Path]:
    """Node by major version: what nvm installed, and the ``node`` on PATH, which wins."""
    home = os.environ.get("NVM_DIR") or os.path.expanduser("~/.nvm")  # noqa: PTH111 - Path raises where there is no home
    installed = executables_below(home, "versions/node/v*/bin/node")
    found = {match[1]: file for file in installed if (match := _VERSION.fullmatch(file.parts[-3]))}
    on_path = shutil.which("node")
    if on_path is not None and (version := _ask(on_path)) is not None:
        found[version] = Path(on_path)
    return dict(sorted(found.items(), key=lambda item: int(item[0])))


def launch(executable: Path, handler: str) -> Launch:
    return Launch(command=(str(executable), str(_RUNTIME), handler))


def _ask(executable: str) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own node
            [executable, "--version"], capture_output=True, text=True, timeout=_ASK_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.fullmatch(answer.stdout.strip())
    return match[1] if match else None
