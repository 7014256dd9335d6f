"""`tuner apply` with reports and templates that nobody should trust: refused, and nothing written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuner.cli.apply import ApplyOptions, apply_command
from tuner.errors import TunerError, UsageError

GOLDEN = Path(__file__).parents[2] / "golden" / "report.json"
TEMPLATE = "functions:\n  mine:\n    name: mine\n    memorySize: 512\n"


def options(report: Path, template: Path) -> ApplyOptions:
    return ApplyOptions(
        source=str(report),
        function="mine",
        template=template,
        resource=None,
        dry_run=False,
        yes=True,
        region=None,
        profile=None,
        endpoint_url=None,
    )


def report_of(folder: Path, memory_mb: int) -> Path:
    content = json.loads(GOLDEN.read_text())
    content["recommendation"]["memory_mb"] = memory_mb
    path = folder / "report.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("memory_mb", [-5, 0, 127, 10_241, 99_999_999])
def test_a_size_that_lambda_does_not_have_is_not_written(memory_mb: int, tmp_path: Path) -> None:
    template = tmp_path / "serverless.yml"
    template.write_text(TEMPLATE)
    with pytest.raises(UsageError):
        apply_command(options(report_of(tmp_path, memory_mb), template))
    assert template.read_text() == TEMPLATE


@pytest.mark.timeout(20)
def test_a_template_without_an_end_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="device"):
        apply_command(options(report_of(tmp_path, 1024), Path("/dev/zero")))


def test_a_template_larger_than_cloudformation_takes_is_not_read(tmp_path: Path) -> None:
    template = tmp_path / "serverless.yml"
    template.write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(UsageError, match="larger than 1 MB"):
        apply_command(options(report_of(tmp_path, 1024), template))


def test_a_disk_that_is_full_leaves_the_template_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = tmp_path / "serverless.yml"
    template.write_text(TEMPLATE)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tuner.cli.apply.shutil.copymode", full)
    with pytest.raises(TunerError, match="No space left"):
        apply_command(options(report_of(tmp_path, 1024), template))
    assert template.read_text() == TEMPLATE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "serverless.yml"]
