"""Folders and zip files of users, tidy and otherwise."""

from __future__ import annotations

import io
import os
import shlex
import sys
import zipfile
from pathlib import Path

import pytest

from tuner.errors import LocalFunctionError
from tuner.local import package, runtimes
from tuner.local.package import read_function

HANDLER = "def handler(event, context): ..."
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "my function"
    made.mkdir()
    return made


def names_in(data: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(data)).namelist()


@pytest.mark.parametrize(
    ("file", "source", "handler"),
    [
        ("lambda_function.py", "def lambda_handler(event, context): ...", "lambda_function.lambda_handler"),
        ("app.py", HANDLER, "app.handler"),
        ("index.py", "handler = lambda event, context: None", "index.handler"),
        ("main.py", "from service import run as handler", "main.handler"),
        ("orders.py", HANDLER, "orders.handler"),
        ("app.py", "try:\n    import fast as handler\nexcept ImportError:\n    handler = None", "app.handler"),
        ("app.py", "class handler:\n    pass", "app.handler"),
    ],
)
def test_the_handler_is_found_without_importing_it(folder: Path, file: str, source: str, handler: str) -> None:
    (folder / file).write_text(source)
    found = read_function(folder)
    assert (found.handler, found.runtime, found.name) == (handler, RUNTIME, "my-function")


def test_a_conventional_file_wins_over_others(folder: Path) -> None:
    (folder / "app.py").write_text(HANDLER)
    (folder / "worker.py").write_text(HANDLER)
    assert read_function(folder).handler == "app.handler"


def test_two_conventional_files_are_ambiguous_and_both_are_named(folder: Path) -> None:
    (folder / "app.py").write_text(HANDLER)
    (folder / "main.py").write_text(HANDLER)
    with pytest.raises(LocalFunctionError, match=r"app\.handler, main\.handler") as caught:
        read_function(folder)
    assert "--handler app.handler" in caught.value.hint
    assert read_function(folder, handler="main.handler").handler == "main.handler"


def test_a_handler_in_a_package_can_be_named(folder: Path) -> None:
    (folder / "src").mkdir()
    (folder / "src" / "api.py").write_text("def run(event, context): ...")
    assert read_function(folder, handler="src.api.run").handler == "src.api.run"


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("nowhere.handler", r"nowhere\.py or nowhere\.mjs, which are not in"),
        ("app.other", "defines no other"),
        ("handler", "is not a handler"),
    ],
)
def test_a_handler_that_does_not_exist_is_refused(folder: Path, handler: str, message: str) -> None:
    (folder / "app.py").write_text(HANDLER)
    with pytest.raises(LocalFunctionError, match=message):
        read_function(folder, handler=handler)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalFunctionError, match="There is no folder"):
        read_function(tmp_path / "nowhere")


def test_a_python_file_is_answered_with_its_folder(folder: Path) -> None:
    (folder / "app.py").write_text(HANDLER)
    with pytest.raises(LocalFunctionError) as caught:
        read_function(folder / "app.py")
    assert caught.value.hint.endswith(shlex.quote(str(folder)))


def test_an_empty_folder_and_one_without_a_handler_are_told_apart(folder: Path) -> None:
    with pytest.raises(LocalFunctionError, match="is empty"):
        read_function(folder)
    (folder / "tools.py").write_text("def other(): ...")
    with pytest.raises(LocalFunctionError, match=r"looked in lambda_function\.py, handler\.py"):
        read_function(folder)


def test_a_syntax_error_is_shown_with_file_and_line(folder: Path) -> None:
    (folder / "app.py").write_text("import os\ndef handler(event, context)\n    return 1\n")
    with pytest.raises(LocalFunctionError, match=r"app\.py:2"):
        read_function(folder)


def test_another_language_is_named(folder: Path) -> None:
    (folder / "main.go").write_text("package main")
    with pytest.raises(LocalFunctionError, match=r"looks like Go"):
        read_function(folder)


@pytest.mark.parametrize(
    ("file", "source", "handler"),
    [
        ("index.mjs", "export const handler = async () => 1;", "index.handler"),
        ("index.mjs", "export async function handler(event) {}", "index.handler"),
        ("app.mjs", "const run = () => 1;\nexport { run as handler };", "app.handler"),
        ("index.js", "exports.handler = (event, context, callback) => callback(null, 1);", "index.handler"),
        ("index.cjs", "module.exports = { other, handler };", "index.handler"),
        ("orders.js", "module.exports.handler = async () => 1;", "orders.handler"),
    ],
)
def test_a_javascript_handler_is_found_by_its_export(
    folder: Path, monkeypatch: pytest.MonkeyPatch, file: str, source: str, handler: str
) -> None:
    monkeypatch.setattr(runtimes, "supported", lambda: (RUNTIME, "nodejs18.x", "nodejs20.x"))
    (folder / file).write_text(source)
    found = read_function(folder)
    assert (found.handler, found.runtime) == (handler, "nodejs20.x")


def test_without_node_a_javascript_handler_says_what_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtimes, "supported", lambda: (RUNTIME,))
    (folder / "index.mjs").write_text("export const handler = async () => 1;")
    with pytest.raises(LocalFunctionError, match=r"needs Node\.js, which is not installed here"):
        read_function(folder)


def test_an_executable_bootstrap_is_a_runtime_of_its_own(folder: Path) -> None:
    (folder / "bootstrap").write_text("#!/bin/sh")
    with pytest.raises(LocalFunctionError, match="is not executable") as caught:
        read_function(folder)
    assert "chmod +x" in caught.value.hint
    (folder / "bootstrap").chmod(0o755)
    found = read_function(folder)
    assert (found.runtime, found.handler) == ("provided.al2023", "bootstrap")


@pytest.mark.parametrize("broken", ["app.py", "worker.py"])
def test_a_broken_file_beside_the_handler_is_passed_over_unless_its_name_says_that_it_is_one(
    folder: Path, broken: str
) -> None:
    (folder / "handler.py").write_text(HANDLER)
    (folder / broken).write_text("print 'python 2'")
    if broken == "app.py":
        with pytest.raises(LocalFunctionError, match=r"app\.py:1"):
            read_function(folder)
    else:
        assert read_function(folder).handler == "handler.handler"


@pytest.mark.parametrize("runtime", ["nodejs4.3", "python3.1", "java21"])
def test_a_runtime_that_cannot_run_here_is_refused(folder: Path, runtime: str) -> None:
    (folder / "app.py").write_text(HANDLER)
    with pytest.raises(LocalFunctionError, match="cannot run"):
        read_function(folder, runtime=runtime)


def test_caches_and_environments_stay_out_and_node_modules_stay_in(folder: Path) -> None:
    for inner in ("__pycache__", ".git", ".venv", "node_modules"):
        (folder / inner).mkdir()
        (folder / inner / "file").write_text("x")
    (folder / "app.py").write_text(HANDLER)
    assert names_in(read_function(folder).zip_bytes) == ["app.py", "node_modules/file"]


def test_the_same_files_give_the_same_bytes_at_any_time(folder: Path) -> None:
    (folder / "app.py").write_text(HANDLER)
    (folder / "data.txt").write_text("x")
    before = read_function(folder).zip_bytes
    os.utime(folder / "app.py", (1_000_000_000, 1_000_000_000))
    assert read_function(folder).zip_bytes == before


def test_a_zip_file_is_read_like_its_folder(folder: Path, tmp_path: Path) -> None:
    (folder / "app.py").write_text(HANDLER)
    from_folder = read_function(folder)
    packed = tmp_path / "packed.zip"
    packed.write_bytes(from_folder.zip_bytes)
    from_zip = read_function(packed)
    assert (from_zip.zip_bytes, from_zip.handler, from_zip.name) == (from_folder.zip_bytes, "app.handler", "packed")


def test_a_broken_zip_file_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK nothing")
    with pytest.raises(LocalFunctionError, match="damaged"):
        read_function(broken)


def test_a_package_above_lambdas_limit_is_refused_before_it_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "MAX_UNZIPPED_BYTES", 1024)
    (folder / "app.py").write_text(HANDLER)
    (folder / "blob").write_bytes(bytes(2048))
    with pytest.raises(LocalFunctionError, match="Lambda refuses"):
        read_function(folder)


@pytest.mark.parametrize(
    ("example", "handler"),
    [
        *((name, "handler.handler") for name in ("password-hash", "short-cpu", "wait", "parse-records", "parallel")),
        *((name, "index.handler") for name in ("node-sign", "node-callback")),
        ("bootstrap-sh", "bootstrap"),
    ],
)
def test_every_example_is_a_function(example: str, handler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "supported", lambda: (RUNTIME, "nodejs20.x", "provided.al2023"))
    assert read_function(Path(__file__).parents[3] / "examples" / example).handler == handler
