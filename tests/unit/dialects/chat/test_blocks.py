import pytest

from trunkline.dialects.chat.blocks import Blocks
from trunkline.dialects.chat.calls import Call
from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event, Media
from trunkline.dialects.names import Names


def blocks(*names: str, emulated: tuple[str, ...] = ()) -> Blocks:
    return Blocks(Names(names, allowed="A-Za-z0-9_-", limit=64), set(emulated))


def test_text_continues_until_something_else_begins() -> None:
    one = blocks()
    assert not one.begun
    one.say("text", "a")
    one.say("text", "b")
    one.say("refusal", "no")
    one.say("text", "c")
    one.end()
    assert one.begun
    assert one.taken() == [
        BlockStart(0, "text"),
        Delta(0, "text", "a"),
        Delta(0, "text", "b"),
        BlockStop(0),
        BlockStart(1, "refusal"),
        Delta(1, "text", "no"),
        BlockStop(1),
        BlockStart(2, "text"),
        Delta(2, "text", "c"),
        BlockStop(2),
    ]
    assert one.taken() == []


def detail(**item: object) -> dict[str, object]:
    return {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0, **item}


def starts(events: list[Event]) -> list[BlockStart]:
    return [event for event in events if isinstance(event, BlockStart)]


def test_bug_01_pieces_of_one_detail_are_one_block_and_a_signature_ends_it() -> None:
    one = blocks()
    one.detail(detail(text="a", signature=""))
    one.detail(detail(text="b"))
    one.detail(detail(signature="S="))
    one.detail(detail(text="c"))
    events = one.taken()
    assert [event.text for event in events if isinstance(event, Delta)] == ["a", "b", "S=", "c"]
    assert [(start.index, start.format) for start in starts(events)] == [(0, "anthropic-claude-v1"), (1, "anthropic-claude-v1")]


@pytest.mark.parametrize("other", [{"index": 1}, {"format": "x"}, {"id": "rs"}])
def test_another_detail_is_another_block(other: dict[str, object]) -> None:
    one = blocks()
    one.detail(detail(text="a"))
    one.detail(detail(text="b", **other))
    assert len(starts(one.taken())) == 2


def test_a_summary_and_its_encrypted_form_are_one_block() -> None:
    one = blocks()
    one.detail({"type": "reasoning.summary", "summary": "s", "id": "rs", "format": "openai-responses-v1", "index": 0})
    one.detail({"type": "reasoning.encrypted", "data": "D", "id": "rs", "format": "openai-responses-v1", "index": 0})
    assert one.taken() == [
        BlockStart(0, "reasoning", "rs", "", "openai-responses-v1"),
        Delta(0, "summary", "s"),
        Delta(0, "data", "D"),
    ]


@pytest.mark.parametrize(
    "item", [{}, {"type": "reasoning.text"}, {"type": "x", "text": "a"}, {"type": "reasoning.text", "text": 5}, {"type": []}]
)
def test_a_detail_that_says_nothing_begins_no_block(item: dict[str, object]) -> None:
    one = blocks()
    one.detail(item)
    assert one.taken() == []


def test_a_picture_ends_the_text_before_it() -> None:
    one = blocks()
    picture = Media("image", url="http://x")
    one.say("text", "a")
    one.show(picture)
    one.say("text", "b")
    assert one.taken()[2:] == [BlockStop(0), picture, BlockStart(1, "text"), Delta(1, "text", "b")]


def test_calls_stay_open_beside_each_other() -> None:
    one = blocks()
    first, second = Call(0, "1", "f"), Call(1, "2", "g")
    one.say("text", "a")
    one.call(first, "{")
    one.call(second, "[")
    one.call(first, "}")
    one.end()
    assert one.taken() == [
        BlockStart(0, "text"),
        Delta(0, "text", "a"),
        BlockStop(0),
        BlockStart(1, "tool_call", "1", "f"),
        Delta(1, "arguments", "{"),
        BlockStart(2, "tool_call", "2", "g"),
        Delta(2, "arguments", "["),
        Delta(1, "arguments", "}"),
        BlockStop(1),
        BlockStop(2),
    ]


def test_a_call_waits_for_its_name() -> None:
    one = blocks()
    call = Call(0, "1", "")
    one.call(call, '{"a"')
    assert one.nameless
    assert one.taken() == []
    call.name = "f"
    one.call(call, ":1}")
    assert not one.nameless
    assert one.taken() == [BlockStart(0, "tool_call", "1", "f"), Delta(0, "arguments", '{"a":1}')]


def test_bug_19_names_come_back_as_the_caller_wrote_them() -> None:
    name = "mcp.tool"
    wire = Names([name], allowed="A-Za-z0-9_-", limit=64).wire(name)
    one = blocks(name)
    one.call(Call(0, "1", wire), "")
    assert [start.name for start in starts(one.taken())] == [name]


def test_an_emulated_custom_call_gives_its_text_at_the_end() -> None:
    one = blocks("patch", emulated=("patch",))
    call = Call(0, "1", "patch")
    one.call(call, '{"input":"*** B')
    one.call(call, 'egin"}')
    assert one.taken() == [BlockStart(0, "tool_call", "1", "patch", custom=True)]
    one.end()
    assert one.taken() == [Delta(0, "arguments", "*** Begin"), BlockStop(0)]
