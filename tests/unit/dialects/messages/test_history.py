import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from trunkline.dialects.hub.conversation import (
    Audio,
    Block,
    File,
    Image,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Turn,
    Video,
)
from trunkline.dialects.messages.history import FILLER, UNANSWERED, History, Rules
from trunkline.dialects.messages.seal import OWN
from trunkline.dialects.names import Names
from trunkline.errors import ApiError

RULES = Rules(Names(["f", "a.b"], allowed="A-Za-z0-9_-", limit=128), frozenset((OWN,)))


def play(*turns: Turn, rules: Rules = RULES) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(system, messages)."""
    history = History(rules)
    for turn in turns:
        history.add(turn)
    history.close()
    messages = [{"role": draft.role, "content": draft.content()} for draft in history.drafts]
    return json.loads(msgspec.json.encode([history.system, messages]))  # type: ignore[no-any-return]


def user(*blocks: Block | str) -> Turn:
    return Turn(role="user", blocks=_blocks(blocks))


def assistant(*blocks: Block | str) -> Turn:
    return Turn(role="assistant", blocks=_blocks(blocks))


def tool(*blocks: Block) -> Turn:
    return Turn(role="tool", blocks=blocks)


def system(*blocks: Block | str) -> Turn:
    return Turn(role="system", blocks=_blocks(blocks))


def _blocks(blocks: tuple[Block | str, ...]) -> tuple[Block, ...]:
    return tuple(Text(text=block) if isinstance(block, str) else block for block in blocks)


def call(identifier: str, name: str = "f") -> ToolCall:
    return ToolCall(id=identifier, name=name)


def result(identifier: str, text: str = "r") -> ToolResult:
    return ToolResult(id=identifier, blocks=(Text(text=text),))


def text(said: str) -> dict[str, str]:
    return {"type": "text", "text": said}


def kinds(message: dict[str, Any]) -> list[str]:
    return [block["type"] for block in message["content"]]


def test_turns_of_one_role_are_one_message() -> None:
    _, messages = play(user("a"), user("b"), assistant("c"), assistant("d"), user("e"))
    assert messages == [
        {"role": "user", "content": [text("a"), text("b")]},
        {"role": "assistant", "content": [text("c"), text("d")]},
        {"role": "user", "content": [text("e")]},
    ]


def test_bug_07_results_of_one_answer_stand_together_and_first() -> None:
    _, messages = play(
        user("q"), assistant(call("1"), call("2")), tool(result("2")), user("also"), tool(result("1")), assistant("done"), user("?")
    )
    assert kinds(messages[2]) == ["tool_result", "tool_result", "text"]
    assert {block["tool_use_id"] for block in messages[2]["content"][:2]} == {"1", "2"}


def test_bug_07_an_orphan_becomes_text() -> None:
    _, messages = play(user("q"), tool(ToolResult(id="9", name="f", blocks=(Text(text="lost"),))))
    assert messages == [{"role": "user", "content": [text("q"), text("Result of the call 9 of f:"), text("lost")]}]


def test_bug_07_a_second_result_replaces_the_first() -> None:
    _, messages = play(user("q"), assistant(call("1")), tool(result("1", "old")), tool(result("1", "new")))
    assert messages[2]["content"] == [{"type": "tool_result", "tool_use_id": "1", "content": [text("new")]}]


@pytest.mark.parametrize("after", [(), (user("go on"),), (assistant("x"), user("y"))])
def test_bug_07_a_call_that_nobody_answered_is_answered(after: tuple[Turn, ...]) -> None:
    _, messages = play(user("q"), assistant(call("1"), call("2")), tool(result("1")), *after)
    found = {block["tool_use_id"]: block for block in messages[2]["content"] if block["type"] == "tool_result"}
    assert found["2"]["content"] == UNANSWERED
    assert found["2"]["is_error"] is True
    assert "is_error" not in found["1"]


def test_bug_19_call_ids_fit_and_their_results_follow() -> None:
    _, messages = play(user("q"), assistant(call("functions.f:0")), tool(result("functions.f:0")))
    wire = messages[1]["content"][0]["id"]
    assert wire.replace("_", "").isalnum()
    assert messages[2]["content"][0]["tool_use_id"] == wire


def test_bug_04_calls_with_the_same_id_are_told_apart() -> None:
    _, messages = play(user("q"), assistant(call("c"), call("c")), tool(result("c", "one")), tool(result("c", "two")))
    first, second = (block["id"] for block in messages[1]["content"])
    assert first != second
    assert [(block["tool_use_id"], block["content"][0]["text"]) for block in messages[2]["content"]] == [(first, "one"), (second, "two")]


def test_ids_may_come_again_in_a_later_answer() -> None:
    _, messages = play(user("q"), assistant(call("c")), tool(result("c")), assistant(call("c")))
    assert [block["id"] for message in messages for block in message["content"] if block["type"] == "tool_use"] == ["c", "c"]
    assert messages[4]["content"][0]["content"] == UNANSWERED


def test_bug_19_names_in_the_history_are_the_wire_names() -> None:
    _, messages = play(user("q"), assistant(call("1", "a.b")), tool(result("1")))
    assert messages[1]["content"][0]["name"] == RULES.names.wire("a.b") != "a.b"


@pytest.mark.parametrize("blank", ["", " ", "\n\t"])
def test_bug_08_blank_text_is_left_out(blank: str) -> None:
    _, messages = play(user("q", blank), assistant(blank), user("r"), tool())
    assert messages == [{"role": "user", "content": [text("q"), text("r")]}]


def test_bug_09_a_mark_on_blank_text_goes_to_the_block_before() -> None:
    _, messages = play(user("q", Text(text="", cache="1h")))
    assert messages[0]["content"] == [{**text("q"), "cache_control": "1h"}]


def test_bug_09_a_mark_inside_a_result_goes_to_the_result() -> None:
    inner = ToolResult(id="1", blocks=(Text(text="r", cache="5m"),))
    _, messages = play(user("q"), assistant(call("1")), tool(inner))
    assert messages[2]["content"][0] == {"type": "tool_result", "tool_use_id": "1", "content": [text("r")], "cache_control": "5m"}


def test_a_conversation_begins_with_the_user() -> None:
    assert play(assistant("x"))[1][0] == {"role": "user", "content": [text(FILLER)]}
    assert play(system("s")) == [[text("s")], [{"role": "user", "content": [text(FILLER)]}]]  # type: ignore[comparison-overlap]


def test_a_prefill_does_not_end_with_blanks() -> None:
    assert play(user("q"), assistant("Once \n"))[1][1]["content"] == [text("Once")]


def test_all_system_messages_go_to_the_front() -> None:
    top, messages = play(system("a"), user("q"), system("b"), assistant("c"))
    assert top == [text("a"), text("b")]
    assert [message["role"] for message in messages] == ["user", "assistant"]


def test_system_messages_stay_where_the_endpoint_allows() -> None:
    rules = Rules(RULES.names, RULES.formats, late_system=True)
    top, messages = play(system("a"), user("q"), system("b"), assistant("c"), rules=rules)
    assert (top, [message["role"] for message in messages]) == ([text("a")], ["user", "system", "assistant"])


def test_bug_07_a_system_message_never_parts_a_call_from_its_result() -> None:
    rules = Rules(RULES.names, RULES.formats, late_system=True)
    _, messages = play(user("q"), assistant(call("1")), system("now"), tool(result("1")), assistant("c"), rules=rules)
    assert [message["role"] for message in messages] == ["user", "assistant", "user", "system", "assistant"]


def test_what_only_anthropic_says_to_the_system_stays_in_its_place() -> None:
    added = Opaque(dialect="messages", raw=Raw(b'{"type":"tool_addition","tool":{}}'))
    top, messages = play(user("q"), system(added))
    assert top == []
    assert messages[1] == {"role": "system", "content": [{"type": "tool_addition", "tool": {}}]}


def test_bug_01_signed_and_redacted_thinking_go_back_exact_and_in_order() -> None:
    _, messages = play(
        user("q"),
        assistant(
            Reasoning(text="why", signature="s==", format=OWN),
            Reasoning(kind="encrypted", data="d==", format=OWN),
            Reasoning(text="", signature="only==", format=OWN),
            "so",
            call("1"),
        ),
        tool(result("1")),
    )
    assert messages[1]["content"][:3] == [
        {"type": "thinking", "thinking": "why", "signature": "s=="},
        {"type": "redacted_thinking", "data": "d=="},
        {"type": "thinking", "thinking": "", "signature": "only=="},
    ]
    assert kinds(messages[1])[3:] == ["text", "tool_use"]


def test_bug_01_text_and_signature_that_came_apart_are_joined() -> None:
    _, messages = play(
        user("q"),
        assistant(
            Reasoning(text="a", format=OWN, index=0),
            Reasoning(text="b", format=OWN, index=0),
            Reasoning(text="", signature="s==", format=OWN, index=0),
            Reasoning(text="other", signature="t==", format=OWN, index=1),
        ),
    )
    assert [(block["thinking"], block["signature"]) for block in messages[1]["content"]] == [("ab", "s=="), ("other", "t==")]


def test_bug_01_a_signed_thought_never_takes_up_what_another_family_said() -> None:
    signed = Reasoning(text="own", signature="s==", format=OWN)
    assert play(user("q"), assistant(Reasoning(text="hm"), signed))[1][1]["content"][0]["thinking"] == "own"
    apart = (Reasoning(text="own"), Reasoning(signature="s==", format=OWN))
    assert play(user("q"), assistant(*apart))[1][1]["content"][0] == {"type": "thinking", "thinking": "own", "signature": "s=="}


@pytest.mark.parametrize(
    "foreign",
    [
        Reasoning(text="hm"),
        Reasoning(text="hm", format=OWN),
        Reasoning(text="hm", signature="s", format="google-gemini-v1"),
        Reasoning(text="hm", signature="s"),
        Reasoning(kind="encrypted", data="d", format="openai-responses-v1"),
        Reasoning(kind="summary", text="hm", format="openai-responses-v1"),
    ],
)
def test_bug_02_reasoning_of_others_stays_away(foreign: Reasoning) -> None:
    assert play(user("q"), assistant(foreign, "a"))[1][1]["content"] == [text("a")]


def test_bug_02_an_endpoint_may_take_another_family() -> None:
    rules = Rules(RULES.names, frozenset(("minimax-v1",)))
    _, messages = play(user("q"), assistant(Reasoning(text="hm", signature="s", format="minimax-v1")), rules=rules)
    assert kinds(messages[1]) == ["thinking"]


def test_blocks_of_all_kinds() -> None:
    _, messages = play(
        user(Image(url="https://a.example/x.png", cache="5m"), File(text="words"), Opaque(dialect="responses", raw=Raw(b"{}"))),
        assistant(Refusal(text="no"), Refusal(text=""), Opaque(dialect="messages", raw=Raw(b'{"type":"server_tool_use"}'))),
    )
    assert [kinds(message) for message in messages] == [["image", "document"], ["text", "server_tool_use"]]
    assert messages[0]["content"][0]["cache_control"] == "5m"


@pytest.mark.parametrize("block", [Audio(data="", format="wav"), Video(url="https://a.example/x.mp4")])
def test_sound_and_film_are_refused(block: Block) -> None:
    with pytest.raises(ApiError):
        play(user(block))


def test_bug_22_pictures_in_results_stay_pictures() -> None:
    shown = ToolResult(id="1", blocks=(Image(url="https://a.example/x.png"), Text(text=" ")))
    _, messages = play(user("q"), assistant(call("1")), tool(shown))
    assert messages[2]["content"][0]["content"] == [{"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}}]


def test_a_call_of_free_text_is_an_object() -> None:
    _, messages = play(user("q"), assistant(ToolCall(id="1", name="f", arguments="a b", kind="custom")), tool(result("1")))
    assert messages[1]["content"][0]["input"] == {"input": "a b"}


def test_citations_of_anthropic_go_back_and_others_do_not() -> None:
    own = {"type": "web_search_result_location", "url": "https://a.example", "encrypted_index": "i", "cited_text": "x", "title": None}
    annotations = (
        Raw(json.dumps({"type": "url_citation", "url_citation": {"url": "https://a.example", "anthropic": own}}).encode()),
        Raw(b'{"type":"url_citation","url_citation":{"url":"https://b.example"}}'),
    )
    _, messages = play(user("q"), assistant(Text(text="x", annotations=annotations)))
    assert messages[1]["content"][0]["citations"] == [own]


def test_bug_07_a_result_that_comes_again_after_a_system_turn_stays_with_its_call() -> None:
    late = Rules(RULES.names, RULES.formats, late_system=True)
    _, messages = play(user("q"), assistant(call("1")), tool(result("1")), system("s"), tool(result("1")), rules=late)
    assert [message["role"] for message in messages] == ["user", "assistant", "user", "system"]
    assert [block["tool_use_id"] for block in messages[2]["content"]] == ["1"]


TURNS = st.lists(
    st.one_of(
        st.sampled_from([user("a"), user(""), assistant("b"), assistant(""), system("s"), system("")]),
        st.lists(st.sampled_from(["1", "2", "x.y"]), min_size=1, max_size=3).map(lambda ids: assistant(*(call(one) for one in ids))),
        st.sampled_from(["1", "2", "x.y", "9"]).map(lambda one: tool(result(one))),
    ),
    max_size=12,
)


@given(TURNS, st.booleans())
def test_bug_07_every_history_is_legal(turns: list[Turn], late: bool) -> None:
    _, messages = play(*turns, rules=Rules(RULES.names, RULES.formats, late_system=late))
    assert messages[0]["role"] == "user"
    for before, message in zip([None, *messages], messages, strict=False):
        assert message["content"]
        assert before is None or before["role"] != message["role"] or message["role"] == "system"
        results = [block["tool_use_id"] for block in message["content"] if block["type"] == "tool_result"]
        assert kinds(message)[: len(results)] == ["tool_result"] * len(results)
        calls = [block["id"] for block in (before or {"content": []})["content"] if block["type"] == "tool_use"]
        assert len(set(calls)) == len(calls)
        assert sorted(results) == sorted(calls)
