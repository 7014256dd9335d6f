"""How fields hold text."""

from __future__ import annotations

import base64
import gzip

import pytest

from tuner.inputs.event_fields import decode, encode
from tuner.inputs.event_shape import Encoding


@pytest.mark.parametrize("text", ["", "a", "häufig \N{SNOWMAN} " * 500])
def test_packed_text_is_gzip_that_anyone_can_read(text: str) -> None:
    packed = encode(text, Encoding.GZIP)
    assert gzip.decompress(base64.b64decode(packed)).decode() == text
    assert decode(packed, Encoding.GZIP) == text


def test_the_header_of_packed_text_names_no_time_and_no_system_whatever_pythons_own_says() -> None:
    assert base64.b64decode(encode("text", Encoding.GZIP))[:10] == bytes.fromhex("1f8b08000000000002ff")
