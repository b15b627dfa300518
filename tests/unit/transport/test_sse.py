"""Event streams: the standard's algorithm is the measure, at every way to cut the bytes."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import ResponseTooLarge
from trunkline.transport.sse import EventSplitter


def reference(stream: bytes) -> list[bytes]:
    """WHATWG HTML 9.2.6, line by line, over a whole stream; events without data are left out, a last event needs no empty line."""
    text = stream.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    events, data, seen = [], [], False
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line in [*lines, ""]:
        if line == "":
            if seen and "\n".join(data):
                events.append("\n".join(data).encode("utf-8", "surrogateescape"))
            data, seen = [], False
        elif line.startswith(":"):
            continue
        else:
            field, _, value = line.partition(":")
            if field == "data":
                data.append(value.removeprefix(" "))
                seen = True
    return events


def split(pieces: list[bytes]) -> list[bytes]:
    splitter = EventSplitter()
    events = [event for piece in pieces for event in splitter.feed(piece)]
    return events + splitter.close()


ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
line = st.one_of(
    st.sampled_from([b"", b":", b": ping", b"data", b"data:", b"data: ", b"data:  two", b"event: x", b"id: 1", b"dataX: no", b" data: no"]),
    st.text(alphabet="ab {}:\u00e9\u4e2d\U0001f600", max_size=12).map(lambda text: b"data: " + text.encode()),
    st.text(alphabet="ab:\u00e9", max_size=6).map(str.encode),
)
streams = st.tuples(st.sampled_from([b"", b"\xef\xbb\xbf"]), st.lists(st.tuples(line, ends), max_size=14)).map(
    lambda parts: parts[0] + b"".join(text + end for text, end in parts[1])
)


@given(streams, st.randoms(use_true_random=False))
def test_any_cut_gives_the_events_of_the_standard(stream: bytes, chance: random.Random):
    cuts = sorted(chance.sample(range(len(stream) + 1), chance.randint(0, min(len(stream), 12))))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    expected = reference(stream)
    assert split([stream]) == expected
    assert split(pieces) == expected
    assert split([bytes([byte]) for byte in stream]) == expected


@given(st.binary(max_size=60))
def test_no_bytes_break_it(stream: bytes):
    assert split([bytes([byte]) for byte in stream]) == split([stream])


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: {}\n\ndata: [DONE]\n\n", [b"{}", b"[DONE]"]),
        (b": OPENROUTER PROCESSING\n\ndata:x\n\n", [b"x"]),
        (b"event: message_stop\ndata: {}\n\n", [b"{}"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"\n\n\n\ndata: a\n\n\n\n", [b"a"]),
        (b"data: never ended", [b"never ended"]),
        (b"data:\n\n", []),
        (b"", []),
    ],
)
def test_shapes(stream, events):
    assert split([stream]) == events


def test_an_event_comes_out_with_its_last_byte():
    splitter = EventSplitter()
    assert splitter.feed(b"data: a\n") == []
    assert splitter.feed(b"\n") == [b"a"]
    assert splitter.feed(b"data: b\r\n\r") == [b"b"]
    assert splitter.feed(b"\ndata: c\r\n\r\n") == [b"c"]
    assert splitter.close() == []


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_the_size_of_an_event_is_bounded(size):
    fits = b"data: " + b"x" * 994 + b"\n\n"
    splitter = EventSplitter(limit=1000)
    for start in range(0, len(fits), size):
        splitter.feed(fits[start : start + size])
    too_large = b"data: " + b"x" * 1000 + b"\n\n"
    with pytest.raises(ResponseTooLarge):
        for start in range(0, len(too_large), size):
            splitter.feed(too_large[start : start + size])


def test_a_long_line_in_small_pieces_costs_linear_time():
    splitter = EventSplitter()
    started = time.process_time()
    for _ in range(60_000):
        assert splitter.feed(b"0123456789abcdef") == []
    assert time.process_time() - started < 1.0
