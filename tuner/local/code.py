"""Deployment packages on disk: each once, named by its content, extracted once and shared by its environments."""

from __future__ import annotations

import base64
import hashlib
import shutil
from pathlib import Path

from tuner.limits import MAX_UNZIPPED_BYTES
from tuner.local import faults
from tuner.local.archive import ArchiveError, ArchiveTooLargeError, extract, read_archive
from tuner.local.functions import Code


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
            extract(read_archive(package), folder)
        except ArchiveTooLargeError as error:
            raise faults.invalid_parameter(
                f"Unzipped size must be smaller than {MAX_UNZIPPED_BYTES} bytes ({error})"
            ) from error
        except (ArchiveError, OSError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise faults.invalid_parameter(
                f"Could not unzip uploaded file. Please check your file, then try to upload again. ({error})"
            ) from error
