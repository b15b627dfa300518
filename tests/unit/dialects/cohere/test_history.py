"""Turns as messages and documents."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.cohere import PLAN
from trunkline.dialects.cohere.history import UNANSWERED, History
from trunkline.dialects.hub.conversation import Audio, File, Image, Reasoning, Text, ToolCall, ToolResult, Turn, Video
from trunkline.errors import ApiError

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 20).decode()


def woven(*turns: Turn, thoughts: bool = False) -> History:
    history = History(thoughts=thoughts)
    for turn in turns:
        history.add(turn)
    return history


def messages(*turns: Turn, thoughts: bool = False) -> list[Any]:
    return woven(*turns, thoughts=thoughts).messages()


def user(*blocks: Any) -> Turn:
    return Turn(role="user", blocks=tuple(Text(text=one) if isinstance(one, str) else one for one in blocks))


def model(*blocks: Any) -> Turn:
    return Turn(role="assistant", blocks=tuple(Text(text=one) if isinstance(one, str) else one for one in blocks))


def result(identifier: str, text: str, **changes: Any) -> Turn:
    return Turn(role="tool", blocks=(ToolResult(id=identifier, blocks=(Text(text=text),), **changes),))


def test_roles_stay_where_they_are() -> None:
    system = Turn(role="system", blocks=(Text(text="s"), Text(text="t"), Text(text=" ")))
    assert messages(system, user("a"), model("b"), user("c", "d")) == [
        {"role": "system", "content": "s\n\nt"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "text", "text": "b"}]},
        {"role": "user", "content": [{"type": "text", "text": "c"}, {"type": "text", "text": "d"}]},
    ]


def test_bug_08_turns_without_a_word_vanish() -> None:
    assert messages(user(" "), model(""), Turn(role="system")) == []


def test_calls_with_their_plan() -> None:
    plan = Reasoning(text="I will look.", id=PLAN)
    got = messages(user("q"), model(plan, ToolCall(id="1", name="f", arguments='{"a": 1.0}')), result("1", "r"))
    assert got[1] == {
        "role": "assistant",
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1.0}'}}],
        "tool_plan": "I will look.",
    }
    assert got[2] == {"role": "tool", "tool_call_id": "1", "content": "r"}


def test_a_tool_of_free_text() -> None:
    got = messages(model(ToolCall(id="1", name="f", arguments="x", kind="custom"), ToolCall(id="2", name="g", arguments="")))
    assert [call["function"]["arguments"] for call in got[0]["tool_calls"]] == ['{"input":"x"}', "{}"]


def test_thoughts_go_back_where_the_endpoint_takes_them() -> None:
    thought = Reasoning(text="hm")
    assert messages(model(thought, "a"), thoughts=True)[0]["content"][0] == {"type": "thinking", "thinking": "hm"}
    assert messages(model(thought, "a"))[0]["content"] == [{"type": "text", "text": "a"}]


def test_bug_07_results_stand_right_after_their_calls() -> None:
    calls = (ToolCall(id="1", name="f"), ToolCall(id="2", name="f"))
    got = messages(user("q"), model(*calls), user("wait"), result("2", "two", is_error=True), result("2", "again"), result("9", "lost"))
    assert [(one["role"], one.get("tool_call_id"), one.get("content")) for one in got[2:]] == [
        ("tool", "1", UNANSWERED),
        ("tool", "2", "Error: two"),
        ("user", None, "wait"),
        ("user", None, "Result of a tool: lost"),
    ]


def test_bug_22_pictures() -> None:
    got = messages(user("see", Image(data=PNG, detail="low"), Image(url="https://a.test/x.png")))
    assert got[0]["content"][1:] == [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://a.test/x.png"}},
    ]
    shown = Turn(role="tool", blocks=(ToolResult(id="1", name="f", blocks=(Text(text="here"), Image(data=PNG))),))
    beside = messages(user("q"), model(ToolCall(id="1", name="f")), shown)
    assert beside[2]["content"] == "here"
    assert [part["type"] for part in beside[3]["content"]] == ["text", "image_url"]


def test_files_are_documents() -> None:
    encoded = base64.b64encode(b"two").decode()
    history = woven(user("q", File(text="one", filename="a.txt"), File(url=f"data:text/csv;base64,{encoded}"), File(data=PNG)))
    assert history.documents == [
        {"id": "doc_0", "data": {"title": "a.txt", "text": "one"}},
        {"id": "doc_1", "data": {"title": "Document 2", "text": "two"}},
    ]
    assert [part["type"] for part in history.messages()[0]["content"]] == ["text", "image_url"]


@pytest.mark.parametrize(
    "block",
    [
        File(url="https://a.test/x.pdf"),
        File(file_id="file-1"),
        File(data="AAAA", media_type="application/pdf"),
        File(data="no base64!"),
        Image(url="gs://a/b.png"),
        Audio(data="AAAA", format="wav"),
        Video(data="AAAA"),
    ],
)
def test_what_cannot_be_sent_is_refused(block: Any) -> None:
    with pytest.raises(ApiError, match="messages: "):
        messages(user(block))


CALLS = st.builds(ToolCall, id=st.sampled_from(["1", "2"]), name=st.just("f"))
RESULTS = st.builds(ToolResult, id=st.sampled_from(["1", "2", "3"]), blocks=st.just((Text(text="r"),)))
TEXTS = st.builds(Text, text=st.sampled_from(["", "a"]))
TURNS = st.one_of(
    st.builds(Turn, role=st.just("assistant"), blocks=st.lists(TEXTS | CALLS, max_size=3).map(tuple)),
    st.builds(Turn, role=st.sampled_from(["user", "tool"]), blocks=st.lists(TEXTS | RESULTS, max_size=3).map(tuple)),
)


@given(st.lists(TURNS, max_size=8))
def test_every_call_has_its_result_next(turns: list[Turn]) -> None:
    got = messages(*turns)
    place = 0
    while place < len(got):
        calls = [call["id"] for call in got[place].get("tool_calls", ())]
        after = got[place + 1 : place + 1 + len(calls)]
        assert [one.get("tool_call_id") for one in after] == calls
        place += 1 + len(calls)
        assert place >= len(got) or got[place]["role"] != "tool"
