import httptools
from hypothesis import given
from hypothesis import strategies as st

from trunkline.mock.reply import Part, Reply, json_reply
from trunkline.mock.script import Pace
from trunkline.mock.wire import End, Send, Step, Wait, cut, layout

STREAM = Reply(parts=(Part("role", b"a\n\n"), Part("content", b"bb\n\n", 0.01), Part("done", b"c\n\n")), stream=True)


class Parsed:
    """An HTTP response as httptools reads it."""

    def __init__(self, data: bytes) -> None:
        self.body, self.chunks, self.complete, self.headers = b"", 0, False, {}
        self.parser = httptools.HttpResponseParser(self)
        self.parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name] = value

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_chunk_header(self) -> None:
        self.chunks += 1

    def on_message_complete(self) -> None:
        self.complete = True


def sent(steps: tuple[Step, ...]) -> bytes:
    return b"".join(step.data for step in steps if isinstance(step, Send))


def test_a_whole_reply_leaves_in_one_write_and_keeps_the_connection() -> None:
    steps = layout(json_reply(b'{"a":1}'), Pace())
    assert len(steps) == 2
    assert steps[-1] == End("keep")
    parsed = Parsed(sent(steps))
    assert (parsed.body, parsed.complete, parsed.headers[b"content-length"]) == (b'{"a":1}', True, b"7")


def test_a_client_that_closes_is_told_so() -> None:
    steps = layout(json_reply(b"{}"), Pace(), keep_alive=False)
    assert steps[-1] == End("fin")
    assert Parsed(sent(steps)).headers[b"connection"] == b"close"


def test_events_without_a_wait_leave_together() -> None:
    steps = layout(STREAM, Pace())
    assert [type(step) for step in steps] == [Send, Wait, Send, End]
    parsed = Parsed(sent(steps))
    assert (parsed.body, parsed.complete) == (b"a\n\nbb\n\nc\n\n", True)


def test_without_burst_each_event_has_its_own_write() -> None:
    steps = layout(STREAM, Pace(burst=False))
    assert [type(step) for step in steps] == [Send, Send, Wait, Send, Send, Send, End]
    assert Parsed(sent(steps)).complete


def test_a_wait_before_the_head() -> None:
    assert layout(STREAM, Pace(head_ms=250))[0] == Wait(0.25)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_sizes_cut_across_events(sizes: list[int]) -> None:
    steps = layout(STREAM, Pace(sizes=tuple(sizes)))
    parsed = Parsed(sent(steps))
    assert (parsed.body, parsed.complete) == (b"a\n\nbb\n\nc\n\n", True)
    assert len(steps) == len(list(cut(parsed.body, sizes))) + 3


@given(st.binary(max_size=50), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_cut_loses_nothing(data: bytes, sizes: list[int]) -> None:
    found = list(cut(data, sizes))
    assert b"".join(found) == data
    assert all(len(piece) <= sizes[at % len(sizes)] for at, piece in enumerate(found))
