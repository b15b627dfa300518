from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.metering import segments
from trunkline.protocol.generation import GenerationRecord

FRAME = segments.frame(
    GenerationRecord(
        id=bytes(range(16)),
        created_ms=0,
        key_hash="k",
        workspace_id="w",
        model="m",
        endpoint_id="e",
        provider_name="p",
        api_type="completions",
        cost=1,
    )
)


def test_what_is_framed_is_read_again(record: Callable[..., GenerationRecord], tmp_path: Path) -> None:
    records = [record(model="x" * size, app_categories=("cli",)) for size in (1, 9000, 2)]
    frames = [segments.frame(one) for one in records]
    path = tmp_path / "a.seg"
    path.write_bytes(b"".join(frames))
    assert segments.read(path) == records
    assert segments.read(path, len(frames[0]), len(frames[0]) + len(frames[1])) == records[1:2]
    assert segments.find(path, records[2].id) == records[2]
    assert segments.find(path, bytes(16)) is None


@given(st.integers(0, len(FRAME) - 1))
def test_a_torn_tail_ends_the_reading(cut: int) -> None:
    assert len(list(segments.payloads(FRAME + FRAME + FRAME[:cut]))) == 2


@given(st.integers(0, len(FRAME) - 1), st.integers(1, 255))
def test_a_damaged_byte_is_noticed(position: int, change: int) -> None:
    damaged = bytearray(FRAME)
    damaged[position] ^= change
    assert len(list(segments.payloads(FRAME + bytes(damaged)))) == 1


def test_zeros_after_the_last_frame_are_an_end_too() -> None:
    assert len(list(segments.payloads(FRAME + bytes(4096)))) == 1


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read(data: bytes) -> None:
    for end, payload in segments.payloads(data):
        assert end <= len(data)
        assert len(payload) <= len(data)


def test_an_id_that_only_appears_inside_another_record_is_not_found(record: Callable[..., GenerationRecord], tmp_path: Path) -> None:
    path = tmp_path / "a.seg"
    path.write_bytes(segments.frame(record(model="0123456789abcdef")))
    assert segments.find(path, b"0123456789abcdef") is None


def test_a_whole_frame_of_another_kind_is_an_error_not_an_end(tmp_path: Path, record: Callable[..., GenerationRecord]) -> None:
    import zlib

    payload = msgspec.msgpack.encode({"id": b"1"})
    path = tmp_path / "a.seg"
    path.write_bytes(len(payload).to_bytes(4, "little") + zlib.crc32(payload).to_bytes(4, "little") + payload)
    with pytest.raises(msgspec.DecodeError):
        segments.read(path)
