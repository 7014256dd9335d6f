from __future__ import annotations

import pytest

from tuner.errors import MemoryRangeError
from tuner.inputs.memory import MemorySelection, parse_memory


def test_a_range_without_step_becomes_its_ends_and_the_landmarks_inside() -> None:
    assert parse_memory("128..3008") == MemorySelection(
        sizes=(128, 256, 512, 1024, 1769, 2048, 3008), ranges=((128, 3008, None),), text="128..3008"
    )
    assert parse_memory("200..1800").sizes == (200, 256, 512, 1024, 1769, 1800)


def test_the_whole_range_reaches_the_sizes_where_cores_appear() -> None:
    sizes = parse_memory("128..10240").sizes
    assert {1769, 3008, 5308, 8846} < set(sizes)
    assert (sizes[0], sizes[-1]) == (128, 10_240)


def test_a_range_with_step_gives_its_steps_and_its_end_only_where_a_step_falls_on_it() -> None:
    assert parse_memory("128..320:64").sizes == (128, 192, 256, 320)
    assert parse_memory("128..300:100").sizes == (128, 228)
    assert parse_memory("128..300:100").ranges == ((128, 300, 100),)


def test_the_finest_step_gives_every_size() -> None:
    assert len(parse_memory("128..10240:1").sizes) == 10_113


def test_a_list_is_sorted_and_keeps_each_size_once() -> None:
    selection = parse_memory("512,128,512,256..256")
    assert selection.sizes == (128, 256, 512)
    assert selection.ranges == ((512, 512, None), (128, 128, None), (512, 512, None), (256, 256, None))


def test_one_size_is_a_selection() -> None:
    assert parse_memory("512").sizes == (512,)


def test_ranges_and_sizes_mix() -> None:
    assert parse_memory("128..1024,2048").sizes == (128, 256, 512, 1024, 2048)


@pytest.mark.parametrize("text", [" 128 .. 1024 : 64 ", "128MB..1024MB:64MB", "128 mb..1024 Mb : 64 MB"])
def test_spaces_and_the_unit_are_free(text: str) -> None:
    assert parse_memory(text).ranges == ((128, 1024, 64),)


def test_the_accounts_own_limits_can_be_given() -> None:
    assert parse_memory("128..3008", maximum_mb=3008).sizes[-1] == 3008
    with pytest.raises(MemoryRangeError, match="4096 MB is outside 128 to 3008 MB"):
        parse_memory("4096", maximum_mb=3008)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("64..99999", "64 MB is outside 128 to 10240 MB"),
        ("128..99999", "99999 MB is outside"),
        ("0", "0 MB is outside"),
        ("3008..128", "reversed"),
        ("128..3008:0", "step of 0 MB"),
        ("128..3008:000", "step of 0 MB"),
        ("128..3008:99999", "step of 99999 MB"),
        ("", "No memory size"),
        ("  ", "No memory size"),
        ("128,", "before or after a comma"),
        (",", "before or after a comma"),
        ("128,,256", "before or after a comma"),
        ("lots", "'lots' is not"),
        ("1GB", "'1GB' is not"),
        ("128-3008", "'128-3008' is not"),
        ("128...3008", "'128...3008' is not"),
        ("128..", "'128..' is not"),
        ("..3008", "'..3008' is not"),
        ("128:64", "'128:64' is not"),
        ("-128", "'-128' is not"),
        ("512.5", "'512.5' is not"),
        ("1e3", "'1e3' is not"),
        ("٥١٢", "is not"),
        ("9" * 5000, "is outside"),
        ("128..512:" + "9" * 5000, "larger than the largest"),
    ],
)
def test_what_cannot_be_read_is_named_on_one_line_with_what_is_accepted(text: str, reason: str) -> None:
    with pytest.raises(MemoryRangeError, match=reason) as caught:
        parse_memory(text)
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 120
    assert "128..3008:64" in caught.value.hint
    assert "128 to 10240 MB" in caught.value.hint
