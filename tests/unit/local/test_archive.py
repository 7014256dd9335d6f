"""Deployment packages of unknown authors: nothing outside their folder is touched, and no damage is a traceback."""

from __future__ import annotations

import io
import stat
import warnings
import zipfile
from pathlib import Path

import pytest

from tuner.errors import LocalFunctionError
from tuner.local import archive
from tuner.local.archive import ArchiveError, extract, read_archive
from tuner.local.code import CodeStore
from tuner.local.faults import ApiError
from tuner.local.package import read_function

HANDLER = "def handler(event, context): ..."


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.create_system = 3
    made.external_attr = mode << 16
    return made


def packed(*entries: tuple[str | zipfile.ZipInfo, str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w", method) as file:
        warnings.simplefilter("ignore")  # zipfile warns of the duplicates that are made here on purpose
        for name, text in entries:
            file.writestr(name, text)
    return target.getvalue()


LINK = stat.S_IFLNK | 0o777
REFUSED = {
    "absolute": packed(("/etc/passwd", "x")),
    "parent": packed(("../above.py", "x")),
    "parent inside": packed(("a/../../above.py", "x")),
    "parent folder": packed(("../above/", "")),
    "backslash": packed(("..\\above.py", "x")),
    "drive": packed(("C:evil.py", "x")),
    "device": packed((entry("null", stat.S_IFCHR | 0o666), "")),
    "pipe": packed((entry("pipe", stat.S_IFIFO | 0o666), "")),
    "absolute link": packed((entry("link", LINK), "/etc/passwd")),
    "link out": packed((entry("a/link", LINK), "../../etc/passwd")),
    "link down and out": packed((entry("link", LINK), "a/../../etc")),
    "file behind link": packed((entry("out", LINK), "."), ("out/app.py", "x")),
    "duplicate": packed(("app.py", "first"), ("app.py", "second")),
    "duplicate by dots": packed(("app.py", "first"), ("./app.py", "second")),
    "file and folder": packed(("a", "x"), ("a/b", "y")),
    "bzip2": packed(("app.py", HANDLER), method=zipfile.ZIP_BZIP2),
    "truncated": packed(("app.py", HANDLER))[:-30],
    "bad crc": packed(("app.py", HANDLER), method=zipfile.ZIP_STORED).replace(b"event", b"EVENT"),
    "without a name": packed(("x", "y")).replace(b"xPK", b"\0PK").replace(b"xy", b"\0y"),
    "empty": b"",
}


def outside(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file): (file.stat().st_mode, file.read_bytes()) for file in files}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_a_package_that_leaves_its_folder_or_is_damaged_is_refused_as_lambda_answers(
    data: bytes, tmp_path: Path
) -> None:
    (tmp_path / "above.py").write_text("mine")
    (tmp_path / "above.py").chmod(0o600)
    before = outside(tmp_path)
    store = CodeStore(tmp_path / "code")
    with pytest.raises(ApiError) as caught:
        store.add(data)
    assert caught.value.code == "InvalidParameterValueException"
    assert outside(tmp_path) == before


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_such_a_zip_file_of_the_users_is_a_clear_error(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "function.zip"
    file.write_bytes(data)
    with pytest.raises(LocalFunctionError, match="cannot be used as a deployment package"):
        read_function(file)


def test_an_encrypted_entry_is_named() -> None:
    data = bytearray(packed(("secret.py", "x")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    with pytest.raises(ArchiveError, match=r"secret\.py.*encrypted"):
        read_archive(bytes(data))


def test_a_bomb_is_refused_before_it_is_decompressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_UNZIPPED_BYTES", 1000)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("was decompressed"))
    with pytest.raises(ArchiveError, match="larger than 1,000 bytes"):
        read_archive(packed(("zeros", "0" * 1001)))


def test_a_size_that_is_understated_is_not_believed() -> None:
    data = packed(("zeros", "0" * 100_000))
    lied = data.replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(ArchiveError, match="damaged"):
        read_archive(lied)


def test_the_number_of_entries_is_bounded_before_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ENTRIES", 2)
    with pytest.raises(ArchiveError, match="more than 2 files"):
        read_archive(packed(*((f"{number}.py", "") for number in range(3))))


def test_links_within_the_package_and_modes_are_kept(tmp_path: Path) -> None:
    data = packed(
        (entry("bin/tool", stat.S_IFREG | 0o755), "#!"),
        (entry("tool", LINK), "bin/tool"),
        (entry("bin/up", LINK), "../bin"),
    )
    extract(read_archive(data), tmp_path / "task")
    assert (tmp_path / "task/tool").read_text() == "#!"
    assert (tmp_path / "task/bin/up/up/tool").stat().st_mode & 0o777 == 0o755


def test_a_handler_may_be_a_link_within_the_package(tmp_path: Path) -> None:
    file = tmp_path / "linked.zip"
    file.write_bytes(packed(("src/app.py", HANDLER), (entry("app.py", LINK), "src/app.py")))
    found = read_function(file)
    assert found.handler == "app.handler"
    assert [one.is_link for one in read_archive(found.zip_bytes)] == [True, False]
