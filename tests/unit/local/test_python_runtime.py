"""What a Python handler starts with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tuner.local.runtimes import python


def test_a_client_that_its_installer_did_not_compile_is_compiled_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = tmp_path / "awslambdaric"
    client.mkdir()
    (client / "__main__.py").write_text("x = 1\n")
    monkeypatch.setattr(python, "_source", {"awslambdaric": client}.get)
    folder = tmp_path / "runtime"
    python.launch(Path(sys.executable), python.OWN_VERSION, "handler.handler", folder)
    (compiled,) = client.glob("__pycache__/__main__.*.pyc")
    assert (folder / "awslambdaric").resolve() == client

    compiled.write_bytes(b"kept")
    python.launch(Path(sys.executable), python.OWN_VERSION, "handler.handler", tmp_path / "another")
    assert compiled.read_bytes() == b"kept"
