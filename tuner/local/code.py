"""Deployment packages on disk: each once, named by its content, extracted once and shared by its environments."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tuner.local import faults
from tuner.local.functions import Code

MAX_UNZIPPED_BYTES = 250 * 1024 * 1024
"""Deployment package limit, unzipped (lambda/latest/dg/gettingstarted-limits)."""


class CodeStore:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, package: bytes) -> Code:
        """Keep a zip file; InvalidParameterValueException where it is none or too large."""
        digest = hashlib.sha256(package)
        code = Code(
            key=digest.hexdigest(), sha256=base64.b64encode(digest.digest()).decode(), size_bytes=len(package)
        )
        if not self.package_file(code).exists():
            self._extract(package, self.task_root(code))
            self.package_file(code).write_bytes(package)
        return code

    def package_file(self, code: Code) -> Path:
        return self._folder / f"{code.key}.zip"

    def task_root(self, code: Code) -> Path:
        """The folder that plays /var/task."""
        return self._folder / code.key

    def read(self, key: str) -> bytes | None:
        """The zip file of a key as it was uploaded; None for anything that is no key of this store."""
        file = self._folder / f"{key}.zip"
        return file.read_bytes() if key.isalnum() and file.is_file() else None

    def _extract(self, package: bytes, folder: Path) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(package)) as archive:
                _check(archive)
                archive.extractall(folder)  # drops "..", absolute names and links
                _restore_modes(archive, folder)
        except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise faults.invalid_parameter(
                "Could not unzip uploaded file. Please check your file, then try to upload again."
            ) from error


def _check(archive: zipfile.ZipFile) -> None:
    if sum(entry.file_size for entry in archive.infolist()) > MAX_UNZIPPED_BYTES:
        raise faults.invalid_parameter(f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes")


def _restore_modes(archive: zipfile.ZipFile, folder: Path) -> None:
    """zipfile forgets permissions; a ``bootstrap`` has to stay executable."""
    for file, mode in _modes(archive, folder):
        os.chmod(file, mode)  # noqa: PTH101


def _modes(archive: zipfile.ZipFile, folder: Path) -> Iterator[tuple[Path, int]]:
    for entry in archive.infolist():
        mode = entry.external_attr >> 16 & 0o777
        file = folder / entry.filename
        if mode and not entry.is_dir() and file.is_file():
            yield file, mode | 0o400
