"""Turns as contents: roles, results of tools and thought signatures (adapters 2.4, classes 1, 2, 3, 7 and 8)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from trunkline.dialects.gemini.contents import NO_RESULT, UNSIGNED, Weaver
from trunkline.dialects.gemini.tools import ToolNames
from trunkline.dialects.hub.conversation import (
    Block,
    Conversation,
    Image,
    Opaque,
    Reasoning,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)

OURS = "google-gemini-v1"


def turn(role: Role, *blocks: Block | str, **fields: Any) -> Turn:
    return Turn(role=role, blocks=tuple(Text(text=block) if isinstance(block, str) else block for block in blocks), **fields)


def weave(*turns: Turn, inside: bool = False, tools: tuple[Tool, ...] = ()) -> Any:
    conversation = Conversation(turns=turns, tools=tools)
    contents = Weaver(ToolNames(conversation), {OURS}, media_in_results=inside).weave(turns)
    return msgspec.json.decode(msgspec.json.encode(contents))


def user(*parts: object) -> dict[str, object]:
    return {"role": "user", "parts": [{"text": part} if isinstance(part, str) else part for part in parts]}


def model(*parts: object) -> dict[str, object]:
    return {**user(*parts), "role": "model"}


def call(identifier: str, signature: str | None = UNSIGNED, name: str = "f", args: object = None) -> dict[str, object]:
    part: dict[str, object] = {"functionCall": {"id": identifier, "name": name, "args": args or {}}}
    return part if signature is None else {**part, "thoughtSignature": signature}


def result(identifier: str, text: str = "r", name: str = "f", **more: object) -> dict[str, object]:
    return {"functionResponse": {"id": identifier, "name": name, "response": {"output": text}, **more}}


def answer(identifier: str, *blocks: Block | str, **fields: Any) -> ToolResult:
    given_blocks = tuple(Text(text=block) if isinstance(block, str) else block for block in blocks or ("r",))
    return ToolResult(id=identifier, blocks=given_blocks, **fields)


def encrypted(data: str, identifier: str | None = None, family: str = OURS) -> Reasoning:
    return Reasoning(kind="encrypted", data=data, id=identifier, format=family)


A, B, C = (ToolCall(id=one, name="f") for one in "ABC")


def test_roles_and_systems() -> None:
    turns = (turn("system", "s"), turn("user", "a"), turn("system", "late"), turn("assistant", "b"), turn("user", "c"))
    assert weave(*turns) == [user("a"), model("b"), user("c")]


def test_turns_of_one_role_are_one_content() -> None:
    assert weave(turn("user", "a"), turn("user", "b"), turn("assistant", "c"), turn("assistant", "d")) == [user("a", "b"), model("c", "d")]


def test_names_of_speakers() -> None:
    assert weave(turn("user", "a", "b", name="Ann"), turn("assistant", "c", name="Bot")) == [user("Ann: a", "b"), model("Bot: c")]
    picture = Image(data="QUJD", media_type="image/png")
    assert weave(turn("user", picture, name="Ann")) == [user({"inlineData": {"mimeType": "image/png", "data": "QUJD"}})]


def test_bug_08_empty_text_makes_no_part_and_no_content() -> None:
    assert weave(turn("user", ""), turn("user", "a"), turn("assistant", ""), turn("assistant")) == [user("a")]
    assert weave(turn("assistant", "", A), turn("tool", answer("A", ""))) == [model(call("A")), user(result("A", ""))]


def test_a_call_and_its_result() -> None:
    turns = (turn("user", "q"), turn("assistant", "let me see", A), turn("tool", answer("A")), turn("assistant", "done"))
    assert weave(*turns) == [user("q"), model("let me see", call("A")), user(result("A")), model("done")]


def test_bug_07_results_stand_together_in_the_order_of_the_calls() -> None:
    turns = (turn("assistant", A, B), turn("tool", answer("B", "b")), turn("tool", answer("A", "a")))
    assert weave(*turns) == [model(call("A"), call("B", None)), user(result("A", "a"), result("B", "b"))]


def test_bug_07_results_come_first_and_apart_from_what_the_user_says() -> None:
    together = (turn("assistant", A), turn("user", "wait", answer("A")))
    apart = (turn("assistant", A), turn("user", "wait"), turn("tool", answer("A")))
    for turns in (together, apart):
        assert weave(*turns) == [model(call("A")), user(result("A")), user("wait")]


def test_bug_07_duplicate_and_orphaned_results() -> None:
    orphan = ToolResult(id="Z", name="old", blocks=(Text(text="lost"),))
    assert weave(turn("assistant", A), turn("tool", answer("A", "1")), turn("tool", answer("A", "2"))) == [
        model(call("A")),
        user(result("A", "1")),
    ]
    assert weave(turn("tool", orphan), turn("user", "go on")) == [user("Result of old: lost", "go on")]


def test_bug_07_a_call_without_a_result_gets_one() -> None:
    missing = {"functionResponse": {"id": "B", "name": "f", "response": {"error": NO_RESULT}}}
    assert weave(turn("assistant", A, B), turn("tool", answer("A")), turn("user", "x")) == [
        model(call("A"), call("B", None)),
        user(result("A"), missing),
        user("x"),
    ]
    assert weave(turn("assistant", A)) == [model(call("A"))]


def test_parallel_calls_in_turns_of_their_own_are_one_step() -> None:
    turns = (turn("assistant", A), turn("assistant", B), turn("tool", answer("A", "a")), turn("tool", answer("B", "b")))
    assert weave(*turns) == [model(call("A"), call("B", None)), user(result("A", "a"), result("B", "b"))]


def test_ids_that_begin_again() -> None:
    turns = (turn("assistant", A), turn("tool", answer("A", "1")), turn("assistant", A), turn("tool", answer("A", "2")))
    assert weave(*turns) == [model(call("A")), user(result("A", "1")), model(call("A")), user(result("A", "2"))]


def test_arguments_keep_their_bytes() -> None:
    text = '{"b": 1.0, "a": 12345678901234567890}'
    turns = (turn("assistant", ToolCall(id="1", name="f", arguments=text)),)
    conversation = Conversation(turns=turns)
    contents = Weaver(ToolNames(conversation), {OURS}, media_in_results=False).weave(turns)
    assert text.encode() in msgspec.json.encode(contents)


@pytest.mark.parametrize(
    ("text", "args"),
    [("", {}), ("null", {}), ("[1]", {"input": "[1]"}), ("{broken", {"input": "{broken"}), ('{"a":"\\ud800"}', {"a": "\ufffd"})],
)
def test_arguments_that_are_no_object(text: str, args: object) -> None:
    assert weave(turn("assistant", ToolCall(id="A", name="f", arguments=text))) == [model(call("A", args=args))]


def test_calls_of_free_text() -> None:
    custom = ToolCall(id="A", name="f", arguments="*** patch", kind="custom")
    assert weave(turn("assistant", custom)) == [model(call("A", args={"input": "*** patch"}))]


def test_bug_18_results_are_text_even_with_references_inside() -> None:
    text = '{"$ref": "#/x", "n": 12345678901234567890}'
    assert weave(turn("assistant", A), turn("tool", answer("A", text)))[1] == user(result("A", text))


def test_failed_results() -> None:
    failed = {"functionResponse": {"id": "A", "name": "f", "response": {"error": "boom"}}}
    assert weave(turn("assistant", A), turn("tool", answer("A", "boom", is_error=True)))[1] == user(failed)


def test_bug_22_media_in_results() -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}
    turns = (
        turn("assistant", A, B),
        turn("tool", answer("A", "see", Image(data="QUJD", media_type="image/png"))),
        turn("tool", answer("B")),
    )
    assert weave(*turns)[1:] == [user(result("A", "see"), result("B")), user(picture)]
    assert weave(*turns, turn("user", "so?"))[2:] == [user(picture, "so?")]
    assert weave(*turns, turn("assistant", "nice"))[2:] == [user(picture), model("nice")]
    assert weave(*turns, inside=True)[-1] == user(result("A", "see", parts=[picture]), result("B"))


def test_bug_03_a_signature_belongs_to_its_call() -> None:
    turns = (turn("assistant", encrypted("sA", "A"), encrypted("sB", "B"), A, B), turn("tool", answer("A"), answer("B")))
    assert weave(*turns)[0] == model(call("A", "sA"), call("B", "sB"))


def test_bug_03_a_signature_without_an_id_belongs_to_what_follows() -> None:
    assert weave(turn("assistant", encrypted("s"), "text", A)) == [model({"text": "text", "thoughtSignature": "s"}, call("A"))]
    assert weave(turn("assistant", encrypted("s"), A)) == [model(call("A", "s"))]
    assert weave(turn("assistant", encrypted("s", "unknown"), "text")) == [model({"text": "text", "thoughtSignature": "s"})]


def test_bug_03_a_signature_at_the_end_stands_alone() -> None:
    alone = {"text": "", "thoughtSignature": "s"}
    assert weave(turn("assistant", "text", encrypted("s"))) == [model("text", alone)]
    assert weave(turn("assistant", encrypted("s"), encrypted("t"), "text")) == [model(alone, {"text": "text", "thoughtSignature": "t"})]
    assert weave(turn("assistant", encrypted("s"), encrypted("t", "A"), A)) == [model(alone, call("A", "t"))]


def test_bug_01_thoughts_go_back_in_order_with_their_signatures() -> None:
    turns = turn(
        "assistant",
        Reasoning(text="one", format=OURS),
        Reasoning(text="two", signature="sig==", format=OURS),
        Reasoning(text="", signature="only", format=OURS),
        encrypted("text"),
        Reasoning(kind="summary", text="three", format=OURS),
        "answer",
    )
    assert weave(turns) == [
        model(
            {"text": "one", "thought": True},
            {"text": "two", "thought": True, "thoughtSignature": "sig=="},
            {"text": "", "thought": True, "thoughtSignature": "only"},
            {"text": "three", "thought": True},
            {"text": "answer", "thoughtSignature": "text"},
        )
    ]


def test_bug_02_reasoning_of_other_families_is_never_sent() -> None:
    for family in ("anthropic-claude-v1", "openai-responses-v1", "unknown"):
        reasoning = (Reasoning(text="secret", signature="x", format=family), encrypted("y", "A", family), encrypted("z", None, family))
        assert weave(turn("assistant", *reasoning, "text", A)) == [model("text", call("A"))]


def test_blocks_of_this_dialect_go_back_as_they_came() -> None:
    ours = Opaque(dialect="gemini", raw=Raw(b'{"executableCode":{"code":"1"},"thoughtSignature":"s"}'))
    other = Opaque(dialect="messages", raw=Raw(b"{}"))
    back = {"executableCode": {"code": "1"}, "thoughtSignature": "s"}
    assert weave(turn("assistant", ours, other, "t")) == [model(back, "t")]
    assert weave(turn("user", ours, other)) == [user(back)]


BLOCKS = st.one_of(
    st.builds(Text, text=st.sampled_from(["", "t"])),
    st.builds(ToolCall, id=st.sampled_from("abc"), name=st.just("f")),
    st.builds(ToolResult, id=st.sampled_from("abcd"), blocks=st.just((Text(text="r"),))),
    st.builds(Reasoning, kind=st.sampled_from(["text", "encrypted"]), data=st.just("d"), text=st.just("t"), format=st.just(OURS)),
)
TURNS = st.builds(Turn, role=st.sampled_from(["user", "assistant", "tool", "system"]), blocks=st.lists(BLOCKS, max_size=4).map(tuple))


@given(st.lists(TURNS, max_size=8))
def test_any_history_is_one_that_gemini_takes(turns: list[Turn]) -> None:
    """Each content of calls is followed by exactly their results, results stand nowhere else, and no content is empty."""
    contents = weave(*turns)
    for place, content in enumerate(contents):
        assert content["parts"]
        called = [part["functionCall"]["id"] for part in content["parts"] if "functionCall" in part]
        answered = [part["functionResponse"]["id"] for part in content["parts"] if "functionResponse" in part]
        if called:
            assert content["role"] == "model"
            assert next(part for part in content["parts"] if "functionCall" in part).get("thoughtSignature")
            if place + 1 < len(contents):
                assert [part["functionResponse"]["id"] for part in contents[place + 1]["parts"] if "functionResponse" in part] == called
        if answered:
            assert content["role"] == "user"
            assert any("functionCall" in part for part in contents[place - 1]["parts"])
            assert place > 0
