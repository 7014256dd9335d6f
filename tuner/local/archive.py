"""Deployment packages as zip files: read whole or refused, and extracted into one folder and nowhere else.

The names and sizes in a zip file are its author's claims. Everything is checked before the first byte is
decompressed, and nothing but a relative path of plain names is ever joined to a folder.
"""

from __future__ import annotations

import io
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tuner.limits import MAX_UNZIPPED_BYTES

MAX_ENTRIES = 100_000
"""More than twice what large Node.js packages hold. Lambda publishes no such limit; without one, a directory of
empty entries fills the memory long before any of them is looked at."""
MAX_LINK_BYTES = 4096
"""The longest target of a symbolic link (PATH_MAX of Linux)."""

_ENTRY_SIGNATURE = b"PK\x01\x02"
_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""The two that every unzip program reads, and the two whose output zipfile can bound while it decompresses."""
_DAMAGED = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    struct.error,
    zlib.error,
)
"""What zipfile raises for damaged files (bpo-39430 and others): there is no common class."""


class ArchiveError(Exception):
    """A zip file that is refused. The message completes the sentence "It cannot be used as a package: ..."."""


class ArchiveTooLargeError(ArchiveError):
    """Larger than Lambda allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveEntry:
    """A file, or a symbolic link to another entry of the same package."""

    name: str
    """Relative, with slashes between plain names."""
    data: bytes
    """The content of a file; the target of a link."""
    mode: int
    """Permission bits; 0 where the zip file does not say."""
    is_link: bool = False


def read_archive(package: bytes) -> tuple[ArchiveEntry, ...]:
    """All files and links of a zip file, without its folders. ArchiveError where any part of it is refused."""
    if package.count(_ENTRY_SIGNATURE) > MAX_ENTRIES:  # zipfile makes an object of each before it can be asked
        raise ArchiveTooLargeError(f"it holds more than {MAX_ENTRIES:,} files")
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            members = _checked(archive.infolist())
            entries = tuple(_entry(archive, name, member) for name, member in members.items())
    except _DAMAGED as error:
        raise ArchiveError(f"the zip file is damaged ({str(error) or type(error).__name__})") from error
    _check_links(entries)
    return entries


def extract(entries: Iterable[ArchiveEntry], folder: Path) -> None:
    """Write ``entries`` into ``folder``, which is replaced. OSError where the file system refuses."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for entry in sorted(entries, key=lambda entry: entry.is_link):  # links last: no file is written through one
        path = folder / entry.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.is_link:
            path.symlink_to(entry.data.decode())
            continue
        path.write_bytes(entry.data)
        if entry.mode:
            path.chmod(entry.mode | stat.S_IRUSR)


def _checked(members: Iterable[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Files and links by their name. ArchiveError for the first that is refused."""
    found: dict[str, zipfile.ZipInfo] = {}
    folders: set[str] = set()
    size_bytes = 0
    for member in members:
        name = _checked_name(member)
        _check_kind(member)
        folders.update(_folders_of(name, member))
        if member.is_dir():
            continue
        if name in found:
            raise ArchiveError(f"two of its entries are called {name!r}")
        found[name] = member
        size_bytes += member.file_size
        if size_bytes > MAX_UNZIPPED_BYTES:
            raise ArchiveTooLargeError(f"unzipped it is larger than {MAX_UNZIPPED_BYTES:,} bytes")
    for name in found:
        if name in folders:
            raise ArchiveError(f"{name!r} is both a file or link and a folder")
    return found


def _checked_name(member: zipfile.ZipInfo) -> str:
    """The name without empty parts and single dots. zipfile cuts names at a zero byte: that one is refused too."""
    name = member.filename
    parts = [part for part in name.split("/") if part not in ("", ".")]
    outside = name.startswith("/") or ".." in parts or (len(name) > 1 and name[1] == ":")
    if outside or "\\" in name or "\0" in member.orig_filename:
        raise ArchiveError(f"the name of an entry leads out of the package ({name!r})")
    if not parts and not name.endswith("/"):  # is_dir() fails on an empty name
        raise ArchiveError("an entry has no name")
    return "/".join(parts)


def _check_kind(member: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise ArchiveError(f"{member.filename!r} is a device, pipe or socket")
    if member.flag_bits & _ENCRYPTED:
        raise ArchiveError(f"{member.filename!r} is encrypted")
    if member.compress_type not in _METHODS:
        raise ArchiveError(f"{member.filename!r} is compressed in a way that Lambda does not read")


def _folders_of(name: str, member: zipfile.ZipInfo) -> Iterable[str]:
    """The folders that an entry needs."""
    parents = (str(parent) for parent in PurePosixPath(name).parents)
    return (*parents, name) if member.is_dir() else parents


def _entry(archive: zipfile.ZipFile, name: str, member: zipfile.ZipInfo) -> ArchiveEntry:
    mode = member.external_attr >> 16
    is_link = stat.S_ISLNK(mode)
    if is_link and member.file_size > MAX_LINK_BYTES:
        raise ArchiveError(f"the target of the link {name!r} is too long")
    return ArchiveEntry(name=name, data=archive.read(member), mode=mode & 0o777, is_link=is_link)


def _check_links(entries: Iterable[ArchiveEntry]) -> None:
    for entry in entries:
        if entry.is_link and not _stays_inside(entry):
            raise ArchiveError(f"the link {entry.name!r} leads out of the package")


def _stays_inside(link: ArchiveEntry) -> bool:
    """Whether a target goes up first, by no more than there is, and then only down.

    That holds whatever other links the way down passes, because each of them is of this kind.
    """
    try:
        target = link.data.decode()
    except UnicodeDecodeError:
        return False
    if not target or target.startswith("/") or "\\" in target or "\0" in target:
        return False
    parts = [part for part in target.split("/") if part not in ("", ".")]
    ups = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    return ".." not in parts[ups:] and ups <= link.name.count("/")
