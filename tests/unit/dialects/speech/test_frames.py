"""When the beginning of an MP3 can be heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.speech.frames import LONGEST_TAG, frame_size, is_whole

HEAD = b"\xff\xfb\x90\x00"
"""MPEG 1, layer III, 128 kbit/s, 44.1 kHz: a frame of 417 bytes."""
FRAME = HEAD + bytes(413)
TAG = b"ID3\x04\x00\x00\x00\x00\x01\x02" + bytes(130)
"""A tag of 130 bytes, whose size is 1 * 128 + 2."""


@pytest.mark.parametrize(
    ("head", "size"),
    [
        (HEAD, 417),
        (b"\xff\xfb\x92\x00", 418),
        (b"\xff\xfb\xe4\x00", 960),
        (b"\xff\xf3\x80\x00", 208),
        (b"\xff\xe3\x18\x00", 72),
        (b"\xff\xfb\x00\x00", None),
        (b"\xff\xfb\xf0\x00", None),
        (b"\xff\xfb\x9c\x00", None),
        (b"\xff\xfd\x90\x00", None),
        (b"\xff\xeb\x90\x00", None),
        (b"RIFF", None),
    ],
)
def test_the_size_of_a_frame(head: bytes, size: int | None) -> None:
    assert frame_size(head) == size


@pytest.mark.parametrize("before", [b"", TAG], ids=["bare", "tagged"])
def test_a_frame_counts_with_its_last_byte(before: bytes) -> None:
    whole = before + FRAME
    assert [is_whole(whole[:size]) for size in range(len(whole))] == [False] * len(whole)
    assert is_whole(whole)
    assert is_whole(whole + FRAME)


def test_a_tag_may_have_a_footer() -> None:
    footed = TAG[:5] + b"\x10" + TAG[6:]
    assert not is_whole(footed + bytes(10) + FRAME[:-1])
    assert is_whole(footed + bytes(10) + FRAME)


def test_nobody_waits_for_a_tag_without_end() -> None:
    assert is_whole(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f")
    assert LONGEST_TAG < 0x7F7F7F7F


@pytest.mark.parametrize("data", [b"RIFF", b"OggS\x00", b"fLaC", b"\x00\x00\x00\x20ftyp", b"x"])
def test_other_sounds_are_left_to_their_players(data: bytes) -> None:
    assert is_whole(data)


@given(st.binary(max_size=600))
def test_any_bytes_are_read(data: bytes) -> None:
    assert is_whole(data) in (True, False)
