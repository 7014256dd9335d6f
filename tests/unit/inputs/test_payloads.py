from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuner.errors import PayloadError
from tuner.inputs.payloads import MAX_PAYLOAD_BYTES, payload_sha256, read_payload

SECRET = "hunter2"


def no_stdin() -> bytes:
    raise AssertionError("standard input was read")


def read(text: str | None) -> bytes:
    return read_payload(text, stdin=no_stdin)


def refused(text: str, *, stdin: bytes | None = None) -> PayloadError:
    with pytest.raises(PayloadError) as caught:
        read_payload(text, stdin=no_stdin if stdin is None else lambda: stdin)
    assert SECRET not in caught.value.message + caught.value.hint
    return caught.value


def test_no_payload_is_the_empty_event() -> None:
    assert read(None) == b"{}"


def test_a_dash_is_standard_input() -> None:
    assert read_payload("-", stdin=lambda: b'{"a": 1}\n') == b'{"a": 1}\n'


@pytest.mark.parametrize(
    "text", ['{"a": 1}', "[]", '"x"', "7", "-7.5e3", "true", "false", "null", '{"ü": "☃"}', "9" * 5000]
)
def test_json_text_is_the_event_itself(text: str) -> None:
    assert read(text) == text.encode()
    assert read(f"  {text}\n") == text.encode()


def test_any_other_text_is_the_path_of_a_file_and_its_bytes_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "2026-event.json"
    file.write_bytes(b'{ "a" : 1.0,\r\n"b": 2 }\n')
    assert read(str(file)) == b'{ "a" : 1.0,\r\n"b": 2 }\n'


def test_text_that_is_json_wins_over_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "7").write_text("[]")
    monkeypatch.chdir(tmp_path)
    assert read("7") == b"7"
    assert read("./7") == b"[]"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_file_in_another_unicode_encoding_is_sent_as_utf_8(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "event.json"
    file.write_bytes('{"a": "ü"}'.encode(encoding))
    assert read(str(file)) == '{"a": "ü"}'.encode()


def test_a_missing_file_is_named_with_where_it_was_sought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    message = refused("event.json").message
    assert "'event.json'" in message
    assert str(tmp_path) in message


def test_a_folder_is_no_payload(tmp_path: Path) -> None:
    assert "cannot be read" in refused(str(tmp_path)).message


def test_an_unknown_home_directory_is_an_error_and_no_traceback() -> None:
    assert "cannot be read" in refused("~no-such-user-here/event.json").message


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not stop this user")
def test_a_file_that_may_not_be_read_says_why(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text("{}")
    file.chmod(0)
    assert "cannot be read" in refused(str(file)).message


def test_broken_json_is_located_by_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(f'{{\n  "password": "{SECRET}",\n  oops\n}}')
    assert "line 3, column 3" in refused(str(file)).message


@pytest.mark.parametrize(
    "text", [f'{{"a": {SECRET}}}', f'["{SECRET}"', f'"{SECRET}', f'{{"a": "{SECRET}"}} trailing']
)
def test_broken_json_text_is_located_and_not_sought_as_a_file(text: str) -> None:
    assert "line 1, column" in refused(text).message


@pytest.mark.parametrize(
    "text", [f'\'{{"a": "{SECRET}"}}\'', f"password:{SECRET}\nx", f"{SECRET}\0", f"{SECRET}{'x' * 2000}", ""]
)
def test_text_that_can_be_no_path_is_not_repeated(text: str) -> None:
    assert "neither JSON nor the name of a file" in refused(text).message


@pytest.mark.parametrize("data", [b"", b" \n"])
def test_an_empty_payload_is_refused(data: bytes) -> None:
    assert "empty" in refused("-", stdin=data).message


@pytest.mark.parametrize("data", [b'{"a": NaN}', b"[Infinity]", b"-Infinity"])
def test_numbers_that_json_does_not_have_are_refused(data: bytes) -> None:
    assert "not JSON" in refused("-", stdin=data).message


@pytest.mark.parametrize("data", [b'{"a": "\xff"}', b"\x89PNG\r\n\x1a\n", b"\xff\xfe{"])
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    assert "not text" in refused("-", stdin=data).message


def test_text_that_the_terminal_could_not_decode_is_refused() -> None:
    assert "not valid UTF-8" in refused('{"a": "\udcff"}').message


def test_nesting_beyond_reason_is_refused() -> None:
    assert "nested too deeply" in refused("-", stdin=b"[" * 100_000 + b"]" * 100_000).message


def test_lambdas_limit_is_the_largest_payload(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(b'"' + b"x" * (MAX_PAYLOAD_BYTES - 2) + b'"')
    assert len(read(str(file))) == MAX_PAYLOAD_BYTES
    file.write_bytes(b'"' + b"x" * (MAX_PAYLOAD_BYTES - 1) + b'"')
    assert "larger than 6 MB" in refused(str(file)).message
    assert "larger than 6 MB" in refused("-", stdin=file.read_bytes()).message


def test_text_that_outgrows_the_limit_as_utf_8_is_refused() -> None:
    data = ('"' + "語" * (MAX_PAYLOAD_BYTES // 3) + '"').encode("utf-16")
    assert len(data) < MAX_PAYLOAD_BYTES
    assert "larger than 6 MB" in refused("-", stdin=data).message


def test_a_digest_names_the_payload() -> None:
    assert payload_sha256(b"{}") == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
