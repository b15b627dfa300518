import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vendor_readers import frames

from trunkline.mock.eventstream import event, exception, frame

NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


@given(st.dictionaries(NAMES, st.text(max_size=50), max_size=4), st.binary(max_size=100))
def test_frames_are_read_as_they_were_made(headers: dict[str, str], payload: bytes) -> None:
    assert list(frames(frame(headers, payload) * 2)) == [(headers, payload)] * 2


def test_the_smallest_frame() -> None:
    prelude = struct.pack("!II", 16, 0)
    start = prelude + struct.pack("!I", zlib.crc32(prelude))
    assert frame({}, b"") == start + struct.pack("!I", zlib.crc32(start))


def test_events_and_exceptions_name_themselves() -> None:
    [(headers, _)] = frames(event("messageStop", b"{}"))
    assert (headers[":message-type"], headers[":event-type"]) == ("event", "messageStop")
    [(headers, _)] = frames(exception("throttlingException", b"{}"))
    assert (headers[":message-type"], headers[":exception-type"]) == ("exception", "throttlingException")


def test_the_vendors_own_parser_reads_them() -> None:
    vendor = pytest.importorskip("botocore.eventstream")
    buffer = vendor.EventStreamBuffer()
    buffer.add_data(event("messageStop", b'{"a":1}'))
    assert [(found.headers[":event-type"], found.payload) for found in buffer] == [("messageStop", b'{"a":1}')]
