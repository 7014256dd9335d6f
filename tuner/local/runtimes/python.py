"""Python handlers, run by AWS's own runtime client (awslambdaric, Apache-2.0) in every Python found here.

A handler sees what it would see on Lambda: the standard library, its package, the runtime client and boto3 with
its dependencies. Nothing else that happens to be installed beside tuner: a dependency that the package forgot is
missing here too. So the interpreter starts without its site-packages (``-S``), and a folder of links plays
/var/runtime, at the end of the search path: a boto3 in the package wins.

The native part of awslambdaric belongs to one version of Python. Others get its Python files with a stand-in for
the four native functions (``files/standin/runtime_client.py``).
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from tuner.local.runtimes.launch import Launch
from tuner.local.runtimes.version_managers import executables_below

OLDEST, NEWEST = 8, 15
OWN_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

_FILES = Path(__file__).parent / "files"
_CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py")
_NATIVE = "runtime_client"
_SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")


@cache
def interpreters() -> dict[str, Path]:
    """Pythons by version, oldest first: our own, ``python3.x`` on PATH, and what pyenv installed.

    Empty where awslambdaric is not installed. pyenv's shims are passed over: they answer for any version.
    """
    if find_spec("awslambdaric") is None:
        return {}
    found: dict[str, Path] = {}
    for minor in range(OLDEST, NEWEST + 1):
        version = f"3.{minor}"
        file = Path(sys.executable) if version == OWN_VERSION else next(_candidates(version), None)
        if file is not None:
            found[version] = file
    return found


def launch(interpreter: Path, version: str, handler: str, folder: Path) -> Launch:
    """``folder`` becomes the /var/runtime of this version; it is made on first use."""
    if not folder.exists():
        _compile(interpreter, version)
        _link(folder, version)
    return Launch(
        # -B: nothing is cached beside the handler, because /var/task is read-only on Lambda.
        command=(str(interpreter), "-B", "-S", str(_FILES / "python_runtime.py"), handler),
        variables={"LAMBDA_RUNTIME_DIR": str(folder)},
    )


def _candidates(version: str) -> Iterator[Path]:
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        file = Path(entry, f"python{version}")
        if Path(entry).name != "shims" and os.access(file, os.X_OK):
            yield file
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")  # noqa: PTH111 - Path raises where there is no home
    yield from reversed(executables_below(root, f"versions/{version}.*/bin/python{version}"))


def _compile(interpreter: Path, version: str) -> None:
    """Lambda's image holds its Python files compiled; not every installer leaves ours so, and -B caches nothing.

    Where our own installation may not be written to, cold starts are that much longer.
    """
    client = _source(_CLIENT[0])
    if client is None or (client / "__pycache__" / f"__main__.cpython-{version.replace('.', '')}.pyc").exists():
        return
    sources = [str(source) for source in _python_sources(version) if source is not None]
    command = [str(interpreter), "-m", "compileall", "-q", *sources]
    subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - an interpreter found on this machine


def _python_sources(version: str) -> list[Path | None]:
    names = (*_CLIENT, *_SDK) if _runs_on(version, "boto3") else _CLIENT
    return [_source(name) for name in names]


def _link(folder: Path, version: str) -> None:
    folder.mkdir(parents=True)
    sources = _python_sources(version)
    native = _source(_NATIVE) if version == OWN_VERSION else None
    sources.append(native or _FILES / "standin" / f"{_NATIVE}.py")
    for source in sources:
        if source is not None:
            (folder / source.name).symlink_to(source)


def _source(name: str) -> Path | None:
    """The file or folder behind an importable top-level name."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin


def _runs_on(version: str, distribution: str) -> bool:
    """Whether the installed distribution says that it supports this version of Python."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        least = re.search(r">=\s*3\.(\d+)", metadata.metadata(distribution)["Requires-Python"] or "")
        return least is None or int(version.split(".")[1]) >= int(least[1])
    return False
