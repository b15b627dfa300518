"""Middle-out: what is dropped, what stays, and that what is left is still a legal conversation."""

import msgspec
import pytest
from endpoints import endpoint
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw, structs

from trunkline.dialects.hub.answer import Answer
from trunkline.dialects.hub.conversation import Block, Conversation, Reasoning, Text, Tool, ToolCall, ToolResult, Turn
from trunkline.plugins.compression import Compression, fewer_messages, fitting, middle_out, size_of
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.quirks import Quirks


def user(text: str) -> Turn:
    return Turn(role="user", blocks=(Text(text=text),))


def said(text: str, *blocks: Block) -> Turn:
    return Turn(role="assistant", blocks=(Text(text=text), *blocks))


def texts(conversation: Conversation) -> list[str]:
    return [block.text for turn in conversation.turns for block in turn.blocks if isinstance(block, Text)]


def long_talk(count: int, size: int = 100) -> Conversation:
    return Conversation(turns=tuple([(user if place % 2 == 0 else said)(f"{place}".ljust(size, ".")) for place in range(count)]))


def four(_model: str, size: int) -> int:
    return -(-size // 4)


def small(context: int | None, **quirks: int) -> Endpoint:
    return structs.replace(endpoint("one"), context_length=context, quirks=Quirks(**quirks))  # type: ignore[arg-type]


def test_what_fits_stays_the_same_object() -> None:
    talk = long_talk(10)
    assert Compression(four).before(talk, small(1000)) == (talk, None)
    assert Compression(four).before(talk, small(None))[0] is talk


def test_the_middle_goes_first_and_the_ends_stay() -> None:
    talk = long_talk(42)
    after, note = Compression(four).before(talk, small(800))
    numbers = [int(text.rstrip(".")) for text in texts(after)]
    gone = sorted(set(range(42)) - set(numbers))
    assert numbers[0] == 0 and numbers[-1] == 41
    assert gone == list(range(gone[0], gone[-1] + 1))
    assert abs((gone[0] + gone[-1]) / 2 - 20.5) <= 1
    assert four("", size_of(after)) <= 700
    assert note is not None and note.type == "context_compression"
    assert note.data == {"engine": "middle-out", "messages_before": 42, "messages_after": len(numbers)}
    assert note.summary == f"Reduced 42 messages to {len(numbers)}"


def test_the_system_stays_wherever_it_stands() -> None:
    turns = (
        Turn(role="system", blocks=(Text(text="Be kind."),)),
        *long_talk(40).turns,
        Turn(role="system", blocks=(Text(text="Late."),)),
        user("?"),
    )
    after = middle_out(Conversation(turns=turns), 1000)
    assert {"Be kind.", "Late.", "?"} <= set(texts(after))
    assert size_of(after) <= 1000


def test_a_call_stays_with_its_results() -> None:
    def work(place: int) -> list[Turn]:
        call = ToolCall(id=f"c{place}", name="look", arguments='{"at":1}')
        result = ToolResult(id=f"c{place}", blocks=(Text(text="r" * 200),))
        return [said("looking", call), Turn(role="tool", blocks=(result,))]

    talk = Conversation(turns=(user("begin"), *[turn for place in range(10) for turn in work(place)], user("end")))
    for most in range(200, size_of(talk), 137):
        after = middle_out(talk, most)
        calls = [block.id for turn in after.turns for block in turn.blocks if isinstance(block, ToolCall)]
        results = [block.id for turn in after.turns for block in turn.blocks if isinstance(block, ToolResult)]
        assert calls == results


def test_one_message_too_long_loses_its_own_middle() -> None:
    talk = Conversation(turns=(user("begin " + "x" * 100_000 + " end"),))
    after, note = Compression(four).before(talk, small(1000))
    [text] = texts(after)
    assert text.startswith("begin xxx") and text.endswith("xxx end") and "[...]" in text
    assert 2000 < len(text) < 3500
    assert note is not None and note.summary == "Shortened 1 messages"


def test_only_the_longest_texts_are_cut() -> None:
    talk = Conversation(turns=(user("short question"), user("ä" * 10_000)))
    first, second = texts(middle_out(talk, 4000))
    assert first == "short question"
    assert len(second.encode()) < 4100


def test_room_is_left_for_the_answer() -> None:
    talk = structs.replace(long_talk(40), max_tokens=500)
    after, _ = Compression(four).before(talk, small(1200))
    assert four("", size_of(after)) <= 700
    greedy = structs.replace(long_talk(40), max_tokens=5000)
    assert texts(Compression(four).before(greedy, small(1200))[0])


def test_tools_and_thoughts_count() -> None:
    tool = Tool(name="look", description="d" * 10, parameters=Raw(b'{"type":"object"}'))
    thought = Turn(role="assistant", blocks=(Reasoning(text="t" * 7), ToolResult(id="x", blocks=(Text(text="r" * 5),))))
    assert size_of(Conversation(turns=(thought,), tools=(tool,))) == 4 + 10 + 17 + 7 + 5


def test_above_a_thousand_messages_the_first_and_the_last_five_hundred_stay() -> None:
    talk = long_talk(1203, size=1)
    after, note = Compression(four).before(talk, small(None, max_messages=1000))
    assert after.turns == (*talk.turns[:500], *talk.turns[-500:])
    assert note is not None and note.data is not None and note.data["messages_after"] == 1000
    assert fewer_messages(talk, 0) is talk
    assert fewer_messages(talk, 2000) is talk


def test_unasked_only_small_endpoints_compress() -> None:
    talk = long_talk(2000)
    unasked = Compression(four, only_small=True)
    assert unasked.before(talk, small(8193))[0] is talk
    assert unasked.before(talk, small(None))[0] is talk
    assert unasked.before(talk, small(8192))[0] is not talk


def test_models_with_room_for_half_are_preferred_and_else_the_largest() -> None:
    one, two, three, free = (small(context) for context in (4_999, 5_000, 100_000, None))
    assert fitting([(one, two), (three,), (one,)], 10_000) == [(two,), (three,)]
    assert fitting([(one, free)], 10_000) == [(free,)]
    assert fitting([(one, two)], 100_000) == [(two,)]


def test_the_answer_stays() -> None:
    answer = Answer()
    assert Compression(four).after(answer) == (answer, None)


@pytest.mark.parametrize("most", [0, 10])
def test_what_cannot_be_made_to_fit_keeps_something(most: int) -> None:
    assert texts(middle_out(long_talk(9), most))


PLACE = st.sampled_from(["user", "assistant", "call", "system"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(PLACE, st.integers(0, 3000)), min_size=1, max_size=30), st.integers(0, 20_000))
def test_any_conversation_keeps_its_order_and_shrinks(plan: list[tuple[str, int]], most: int) -> None:
    turns: list[Turn] = []
    for place, (kind, size) in enumerate(plan):
        if kind == "call":
            turns.append(said("", ToolCall(id=str(place), name="f")))
            turns.append(Turn(role="tool", blocks=(ToolResult(id=str(place), blocks=(Text(text="x" * size),)),)))
        else:
            turns.append(Turn(role=kind, blocks=(Text(text=f"{place} " + "x" * size),)))  # type: ignore[arg-type]
    talk = Conversation(turns=tuple(turns))
    after = middle_out(talk, most)
    assert size_of(after) <= max(size_of(talk), most)
    heads = [turn.role for turn in after.turns if turn.role == "system"]
    assert heads == [turn.role for turn in talk.turns if turn.role == "system"]
    remaining = iter(talk.turns)
    for turn in after.turns:
        assert any(turn.role == one.role and len(turn.blocks) == len(one.blocks) for one in remaining)
    assert msgspec.json.encode(after.turns)
