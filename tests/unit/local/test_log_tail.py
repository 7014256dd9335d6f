"""REPORT lines and the tail."""

from __future__ import annotations

import pytest

from tuner.local.log_tail import TAIL_BYTES, Failure, LogTail, Measured, init_report_line, report_line


def measured(**changes: object) -> Measured:
    base = {"request_id": "r", "duration_ms": 150.06, "memory_mb": 2560, "max_memory_used_mb": 199}
    return Measured(**{**base, **changes})  # type: ignore[arg-type]


def test_a_warm_report_is_written_as_lambda_writes_it() -> None:
    assert report_line(measured()) == (
        "REPORT RequestId: r\tDuration: 150.06 ms\tBilled Duration: 151 ms"
        "\tMemory Size: 2560 MB\tMax Memory Used: 199 MB\t"
    )


def test_a_cold_failure_carries_init_status_and_type_in_lambdas_order() -> None:
    line = report_line(
        measured(duration_ms=1248.31, init_ms=293.05, failure=Failure(status="error", error_type="Runtime.ExitError"))
    )
    assert line.endswith("\tInit Duration: 293.05 ms\tStatus: error\tError Type: Runtime.ExitError\t")
    assert "Billed Duration: 1542 ms" in line


@pytest.mark.parametrize(
    ("duration_ms", "init_ms", "billed_ms"),
    [
        (150.06, None, 151),
        (100.0, None, 100),
        (100.01, None, 101),
        (250.06, 100.77, 351),
        (1.5, 0.5, 2),
        (0.0, None, 0),
    ],
)
def test_billed_is_the_sum_rounded_up_once(duration_ms: float, init_ms: float | None, billed_ms: int) -> None:
    assert measured(duration_ms=duration_ms, init_ms=init_ms).billed_ms == billed_ms


def test_an_init_report_names_its_phase() -> None:
    line = init_report_line(83.58, "invoke", Failure(status="error", error_type="Runtime.ImportModuleError"))
    assert line == (
        "INIT_REPORT Init Duration: 83.58 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError"
    )


def test_the_tail_keeps_the_last_four_kilobytes_whatever_the_pieces() -> None:
    tail = LogTail()
    for number in range(3000):
        tail.write(f"line {number}\n".encode())
    assert len(tail.read()) == TAIL_BYTES
    assert tail.read().endswith(b"line 2999\n")


def test_one_huge_write_is_cut_as_well() -> None:
    tail = LogTail()
    tail.write(b"x" * 10_000_000)
    assert tail.read() == b"x" * TAIL_BYTES
