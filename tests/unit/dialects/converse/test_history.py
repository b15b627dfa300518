"""Turns as messages: alternation, results, names of documents, reasoning."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.converse.history import EMPTY, FILLER, UNANSWERED, History, Rules, redacted, revealed
from trunkline.dialects.hub.conversation import File, Image, Reasoning, Text, ToolCall, ToolResult, Turn
from trunkline.dialects.names import Names

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 20).decode()
CLAUDE = "anthropic-claude-v1"
RULES = Rules(Names((), allowed="a-z", limit=64), frozenset((CLAUDE,)))


def woven(*turns: Turn, rules: Rules = RULES) -> Any:
    history = History(rules)
    for turn in turns:
        history.add(turn)
    history.close()
    return msgspec.json.decode(msgspec.json.encode({"system": history.system, "messages": history.messages}))


def messages(*turns: Turn, rules: Rules = RULES) -> Any:
    return woven(*turns, rules=rules)["messages"]


def user(*blocks: Any) -> Turn:
    return Turn(role="user", blocks=tuple(Text(text=one) if isinstance(one, str) else one for one in blocks))


def model(*blocks: Any) -> Turn:
    return Turn(role="assistant", blocks=tuple(Text(text=one) if isinstance(one, str) else one for one in blocks))


def result(identifier: str, *texts: str, **changes: Any) -> Turn:
    return Turn(role="tool", blocks=(ToolResult(id=identifier, blocks=tuple(Text(text=one) for one in texts), **changes),))


def call(identifier: str, name: str = "f") -> ToolCall:
    return ToolCall(id=identifier, name=name)


def test_roles_alternate_and_system_goes_first() -> None:
    got = woven(user("a"), Turn(role="system", blocks=(Text(text="s"),)), user("b"), model("c"), model("d"), user("e"))
    assert got["system"] == [{"text": "s"}]
    assert got["messages"] == [
        {"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
        {"role": "assistant", "content": [{"text": "c"}, {"text": "d"}]},
        {"role": "user", "content": [{"text": "e"}]},
    ]


def test_the_first_message_is_the_users_and_the_last_has_no_blanks_at_its_end() -> None:
    assert messages(model("hi ")) == [
        {"role": "user", "content": [{"text": FILLER}]},
        {"role": "assistant", "content": [{"text": "hi"}]},
    ]
    assert messages() == [{"role": "user", "content": [{"text": FILLER}]}]


def test_bug_08_turns_without_a_word_vanish() -> None:
    assert messages(user("a"), model(" "), user("b")) == [{"role": "user", "content": [{"text": "a"}, {"text": "b"}]}]


def test_bug_07_results_of_one_turn_stand_together_and_first() -> None:
    got = messages(user("q"), model(call("1"), call("2")), user("by the way"), result("2", "two"), result("1", "one", is_error=True))
    assert got[2] == {
        "role": "user",
        "content": [
            {"toolResult": {"toolUseId": "2", "content": [{"text": "two"}]}},
            {"toolResult": {"toolUseId": "1", "content": [{"text": "one"}], "status": "error"}},
            {"text": "by the way"},
        ],
    }


@pytest.mark.parametrize("turns", [(user("next"),), ()])
def test_bug_07_calls_without_results_are_answered(turns: tuple[Turn, ...]) -> None:
    got = messages(user("q"), model(call("1")), *turns)
    assert got[2]["content"][0]["toolResult"] == {"toolUseId": "1", "content": [{"text": UNANSWERED}], "status": "error"}


def test_bug_07_a_result_without_its_call_is_text() -> None:
    assert messages(result("9", "x", name="f")) == [{"role": "user", "content": [{"text": "Result of f:"}, {"text": "x"}]}]


def test_bug_07_a_second_result_replaces_the_first() -> None:
    got = messages(user("q"), model(call("1")), result("1", "a"), result("1", "b"))
    assert got[2]["content"] == [{"toolResult": {"toolUseId": "1", "content": [{"text": "b"}]}}]


def test_a_result_is_never_empty() -> None:
    got = messages(user("q"), model(call("1")), result("1", " "))
    assert got[2]["content"][0]["toolResult"]["content"] == [{"text": EMPTY}]


def test_bug_19_ids_fit_and_are_told_apart() -> None:
    odd = "call:1/" + "x" * 80
    got = messages(user("q"), model(call(odd), call("same"), call("same")), result(odd, "a"), result("same", "b"), result("same", "c"))
    ids = [block["toolUse"]["toolUseId"] for block in got[1]["content"]]
    assert len(set(ids)) == 3
    assert all(len(one) <= 64 and one.replace("_", "").replace("-", "").isalnum() for one in ids)
    assert [block["toolResult"]["toolUseId"] for block in got[2]["content"]] == ids
    assert [block["toolResult"]["content"][0]["text"] for block in got[2]["content"]] == ["a", "b", "c"]


def test_bug_22_pictures_of_a_result() -> None:
    shown = Turn(role="tool", blocks=(ToolResult(id="1", name="f", blocks=(Text(text="here"), Image(data=PNG))),))
    beside = messages(user("q"), model(call("1")), shown)[2]["content"]
    assert beside[0]["toolResult"]["content"] == [{"text": "here"}]
    assert beside[1] == {"text": "Result of f:"}
    assert beside[2]["image"]["format"] == "png"
    rules = msgspec.structs.replace(RULES, media_in_results=True)
    (inside,) = messages(user("q"), model(call("1")), shown, rules=rules)[2]["content"]
    assert [next(iter(block)) for block in inside["toolResult"]["content"]] == ["text", "image"]


def test_a_document_has_text_before_it_and_a_name_of_its_own() -> None:
    file = File(text="words", filename="a.txt")
    (message,) = messages(user(file, file))
    assert [next(iter(block)) for block in message["content"]] == ["text", "document", "document"]
    assert [block["document"]["name"] for block in message["content"][1:]] == ["a", "a 2"]
    assert messages(user("see", file))[0]["content"][0] == {"text": "see"}


def test_pictures_of_the_model_are_left_out() -> None:
    assert messages(user("q"), model("a", Image(data=PNG)), user("b"))[1]["content"] == [{"text": "a"}]


def test_bug_01_reasoning_goes_back_exactly_and_in_order() -> None:
    blocks = (
        Reasoning(text="thought ", format=CLAUDE),
        Reasoning(text="on", signature="sig==", format=CLAUDE),
        Reasoning(kind="encrypted", data="EmwKAhgB", format=CLAUDE),
        Reasoning(text="", signature="only", format=CLAUDE),
        Text(text="said"),
    )
    assert messages(user("q"), model(*blocks), user("r"))[1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "thought on", "signature": "sig=="}}},
        {"reasoningContent": {"redactedContent": base64.b64encode(b"EmwKAhgB").decode()}},
        {"reasoningContent": {"reasoningText": {"text": "", "signature": "only"}}},
        {"text": "said"},
    ]


@pytest.mark.parametrize(
    "thought",
    [
        Reasoning(text="t", format=CLAUDE),
        Reasoning(text="t", signature="s", format="google-gemini-v1"),
        Reasoning(kind="encrypted", data="x", format="openai-responses-v1"),
        Reasoning(kind="summary", text="t", format=CLAUDE),
        Reasoning(text="t"),
    ],
)
def test_bug_02_reasoning_of_others_stays_away(thought: Reasoning) -> None:
    assert messages(user("q"), model(thought, "a"), user("r"))[1]["content"] == [{"text": "a"}]


def test_unsigned_reasoning_of_an_endpoints_own_family_goes_back() -> None:
    rules = msgspec.structs.replace(RULES, formats=frozenset(("unknown",)))
    got = messages(user("q"), model(Reasoning(text="t"), "a"), rules=rules)
    assert got[1]["content"][0] == {"reasoningContent": {"reasoningText": {"text": "t"}}}


def test_without_tools_calls_are_told_in_words() -> None:
    rules = msgspec.structs.replace(RULES, tools=False)
    got = messages(user("q"), model(call("1")), result("1", "x", name="f"), rules=rules)
    assert got[1]["content"] == [{"text": "Called the tool f: {}"}]
    assert got[2]["content"] == [{"text": "Result of f:"}, {"text": "x"}]


def test_bug_09_marks_become_points_after_their_blocks() -> None:
    turns = (
        user(Text(text="a", cache="1h"), Text(text="", cache="5m")),
        model(ToolCall(id="1", name="f", cache="5m")),
        result("1", "x", cache="5m"),
        Turn(role="tool", blocks=(ToolResult(id="1", blocks=(Text(text="y", cache="5m"),)),)),
    )
    got = messages(*turns)
    assert got[0]["content"] == [{"text": "a"}, {"cachePoint": "1h"}, {"cachePoint": "5m"}]
    assert [next(iter(block)) for block in got[1]["content"]] == ["toolUse", "cachePoint"]
    assert [next(iter(block)) for block in got[2]["content"]] == ["toolResult", "cachePoint"]


@given(st.binary(min_size=1))
def test_redacted_reasoning_survives_both_ways(data: bytes) -> None:
    content = base64.b64encode(data).decode()
    assert redacted(revealed(content)) == content


@pytest.mark.parametrize("odd", ["not base64", "QQ", "QQ==\n", "=", "é"])
def test_redacted_reasoning_that_is_no_base64_survives_too(odd: str) -> None:
    assert redacted(revealed(odd)) == odd


BLOCKS = st.one_of(
    st.builds(Text, text=st.sampled_from(["", " ", "a"])),
    st.builds(Reasoning, text=st.sampled_from(["", "t"]), signature=st.sampled_from([None, "s"]), format=st.just(CLAUDE)),
)
CALLS = st.builds(ToolCall, id=st.sampled_from(["1", "2", "é"]), name=st.just("f"))
RESULTS = st.builds(ToolResult, id=st.sampled_from(["1", "2", "é"]), blocks=st.just((Text(text="r"),)))
TURNS = st.one_of(
    st.builds(Turn, role=st.just("assistant"), blocks=st.lists(BLOCKS | CALLS, max_size=4).map(tuple)),
    st.builds(Turn, role=st.sampled_from(["user", "tool"]), blocks=st.lists(BLOCKS | RESULTS, max_size=4).map(tuple)),
)


@given(st.lists(TURNS, max_size=8))
def test_every_conversation_is_legal(turns: list[Turn]) -> None:
    """Roles alternate from the user on, and every call has its one result at the front of the next message."""
    got = messages(*turns)
    assert [message["role"] for message in got] == [("user", "assistant")[place % 2] for place in range(len(got))]
    for place, message in enumerate(got):
        assert message["content"]
        calls = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
        after = got[place + 1]["content"] if place + 1 < len(got) else []
        results = [block["toolResult"]["toolUseId"] for block in after if "toolResult" in block]
        if message["role"] == "assistant":
            assert sorted(calls) == sorted(results)
            assert all("toolResult" in block for block in after[: len(calls)])
        else:
            assert not calls
