"""The binary event stream: every cut, every damage, and nothing is believed before its checksum."""

import itertools
import struct
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.converse.frames import Frames
from trunkline.errors import MalformedResponse, ResponseTooLarge, UpstreamError


def header(name: str, value: str) -> bytes:
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()


def framed(headers: bytes, payload: bytes) -> bytes:
    prelude = struct.pack(">II", len(headers) + len(payload) + 16, len(headers))
    data = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return data + struct.pack(">I", zlib.crc32(data))


def event(kind: str, payload: bytes, *, key: str = ":event-type", message: str = "event") -> bytes:
    return framed(header(key, kind) + header(":content-type", "application/json") + header(":message-type", message), payload)


STREAM = (
    event("messageStart", b'{"role":"assistant"}')
    + event("contentBlockDelta", '{"contentBlockIndex":0,"delta":{"text":"né"}}'.encode())
    + event("metadata", b"")
)
PAYLOADS = [
    b'{"messageStart":{"role":"assistant"}}',
    '{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":"né"}}}'.encode(),
    b'{"metadata":{}}',
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_any_cut_gives_the_same(cuts: list[int]) -> None:
    splitter = Frames()
    places = [0, *sorted(cuts), len(STREAM)]
    got = [payload for start, end in itertools.pairwise(places) for payload in splitter.feed(STREAM[start:end])]
    assert got + splitter.close() == PAYLOADS


def test_byte_by_byte_gives_the_same() -> None:
    splitter = Frames()
    assert [payload for byte in STREAM for payload in splitter.feed(bytes([byte]))] == PAYLOADS


def test_an_exception_has_its_own_name() -> None:
    data = event("throttlingException", b'{"message":"slow down"}', key=":exception-type", message="exception")
    assert Frames().feed(data) == [b'{"throttlingException":{"message":"slow down"}}']
    for nameless in (b"", header(":exception-type", "")):
        data = framed(header(":message-type", "exception") + nameless, b"{}")
        assert Frames().feed(data) == [b'{"internalServerException":{}}']


def test_headers_are_remembered_within_bounds() -> None:
    splitter = Frames()
    for number in range(500):
        assert splitter.feed(event(f"e{number}", b"1") * 2) == [b'{"e%d":1}' % number] * 2
    assert len(splitter._openings) <= 64


def test_an_error_frame_has_no_payload() -> None:
    data = framed(header(":message-type", "error") + header(":error-code", "InternalError") + header(":error-message", "oh no"), b"")
    assert msgspec.json.decode(Frames().feed(data)[0]) == {"error": {"type": "InternalError", "message": "oh no"}}


def test_headers_of_all_types_are_skipped() -> None:
    others = b"".join(
        bytes([1]) + b"h" + bytes([kind]) + value
        for kind, value in [
            *((0, b""), (1, b""), (2, b"\x01"), (3, b"\x00\x01"), (4, b"\0\0\0\x01"), (5, b"\0" * 8)),
            *((6, b"\x00\x03abc"), (8, b"\0" * 8), (9, b"\0" * 16)),
        ]
    )
    assert Frames().feed(framed(others + header(":event-type", "ping"), b"1")) == [b'{"ping":1}']


@pytest.mark.parametrize("headers", [b"", header(":message-type", "unheard of") + header(":event-type", "x"), header("x", "y")])
def test_a_frame_without_a_type_says_nothing(headers: bytes) -> None:
    assert Frames().feed(framed(headers, b"{}")) == []


@pytest.mark.parametrize("headers", [b"\x05ab", b"\x01x\x07\x00\x09abc", b"\x01x\x0c", b"\x01x\x05\x00"])
def test_headers_that_cannot_be_read_are_refused(headers: bytes) -> None:
    with pytest.raises(MalformedResponse, match="headers"):
        Frames().feed(framed(headers, b"{}"))


@pytest.mark.parametrize("place", range(len(STREAM)))
def test_every_damaged_byte_is_noticed(place: int) -> None:
    """One bit turned anywhere: what came before it is given out, what it spoils never is."""
    damaged = bytearray(STREAM)
    damaged[place] ^= 0x10
    splitter = Frames()
    got: list[bytes] = []
    with pytest.raises(UpstreamError):
        got += splitter.feed(bytes(damaged))
        got += splitter.close()
    assert got == PAYLOADS[: len(got)]
    with pytest.raises(UpstreamError):
        splitter.feed(b"")


def test_what_came_before_the_damage_is_given_out_first() -> None:
    splitter = Frames()
    first = event("messageStart", b"{}")
    assert splitter.feed(first + b"\0" * 16) == [b'{"messageStart":{}}']
    with pytest.raises(MalformedResponse, match="prelude"):
        splitter.feed(b"")
    with pytest.raises(MalformedResponse, match="prelude"):
        splitter.close()


def test_a_frame_that_is_cut_off_says_nothing() -> None:
    splitter = Frames()
    assert splitter.feed(STREAM[:-1]) == PAYLOADS[:2]
    assert splitter.close() == []


def test_a_frame_over_the_limit_is_refused_by_its_prelude() -> None:
    prelude = struct.pack(">II", 2**31, 0)
    with pytest.raises(ResponseTooLarge):
        Frames().feed(prelude + struct.pack(">I", zlib.crc32(prelude)))
    with pytest.raises(ResponseTooLarge):
        Frames(limit=40).feed(event("messageStart", b'{"role":"assistant"}'))


@pytest.mark.parametrize(("size", "head"), [(0, 0), (15, 0), (40, 30), (16, 2**31)])
def test_lengths_that_contradict_each_other_are_refused(size: int, head: int) -> None:
    prelude = struct.pack(">II", size, head)
    with pytest.raises(MalformedResponse, match="shorter"):
        Frames().feed(prelude + struct.pack(">I", zlib.crc32(prelude)))


@given(st.binary(max_size=200))
def test_garbage_raises_nothing_else(data: bytes) -> None:
    splitter = Frames()
    try:
        assert splitter.feed(data) == []
        assert splitter.close() == []
    except (MalformedResponse, ResponseTooLarge):
        pass
