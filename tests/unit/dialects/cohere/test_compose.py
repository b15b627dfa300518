"""Whole bodies."""

from typing import Any

import msgspec
import pytest
from endpoints import PLAIN
from msgspec import Raw
from msgspec.structs import replace

from trunkline.dialects.cohere.compose import Composer
from trunkline.dialects.hub.conversation import Conversation, File, Format, Reasoning, ReasoningWish, Sampling, Text, Tool, ToolChoice, Turn
from trunkline.errors import ApiError
from trunkline.protocol.quirks import Quirks

USER = Turn(role="user", blocks=(Text(text="q"),))
TOOLS = (Tool(name="f", description="d", parameters=Raw(b'{"type":"object","properties":{"z":{},"a":{}}}')), Tool(name="g"))
ANSWER = Format(kind="json_schema", schema=Raw(b'{"type":"object"}'))


def body(*turns: Turn, quirks: Quirks | None = None, known: set[str] | None = None, **changes: Any) -> Any:
    endpoint = replace(PLAIN, quirks=quirks or Quirks(), supported_parameters=None if known is None else frozenset(known))
    return msgspec.json.decode(Composer(endpoint).compose(Conversation(turns=turns or (USER,), **changes)))


def test_the_smallest_body() -> None:
    assert body() == {"model": "m", "messages": [{"role": "user", "content": "q"}], "stream": False}
    assert body(stream=True)["stream"] is True
    with pytest.raises(ApiError, match="nothing to send"):
        Composer(PLAIN).compose(Conversation(turns=()))


def test_bug_21_parameters_have_cohere_names_and_ranges() -> None:
    sampling = Sampling(temperature=0.5, top_p=1, top_k=900, seed=7, frequency_penalty=1.5, presence_penalty=-1, logprobs=True)
    got = body(sampling=sampling, max_tokens=9, stop=tuple("abcdef"))
    expected = {"temperature": 0.5, "p": 0.99, "k": 500, "seed": 7, "frequency_penalty": 1.0, "presence_penalty": 0.0, "logprobs": True}
    assert {key: got[key] for key in expected} == expected
    assert got["max_tokens"] == 9
    assert got["stop_sequences"] == list("abcde")
    assert set(body(sampling=sampling, known={"seed"}, stop=("a",))) == {"model", "messages", "stream", "seed"}


def test_tools_keep_their_order_and_bytes() -> None:
    got = body(tools=TOOLS)
    assert got["tools"] == [
        {
            "type": "function",
            "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"z": {}, "a": {}}}},
        },
        {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}},
    ]
    assert "tool_choice" not in got
    assert list(got["tools"][0]["function"]["parameters"]["properties"]) == ["z", "a"]
    custom = body(tools=(Tool(name="c", kind="custom"),))["tools"][0]["function"]["parameters"]
    assert custom["required"] == ["input"]
    server = Tool(name="s", kind="server", dialect="messages", raw=Raw(b"{}"))
    assert "tools" not in body(tools=(server,))


@pytest.mark.parametrize(
    ("choice", "word", "names"),
    [
        (ToolChoice(mode="required"), "REQUIRED", ["f", "g"]),
        (ToolChoice(mode="none"), "NONE", ["f", "g"]),
        (ToolChoice(mode="function", name="g"), "REQUIRED", ["g"]),
        (ToolChoice(allowed=("f",)), None, ["f"]),
    ],
)
def test_choices(choice: ToolChoice, word: str | None, names: list[str]) -> None:
    got = body(tools=TOOLS, tool_choice=choice)
    assert got.get("tool_choice") == word
    assert [tool["function"]["name"] for tool in got["tools"]] == names


def test_strict_tools_are_strict_together() -> None:
    assert body(tools=(Tool(name="a", strict=True), Tool(name="b", strict=True)))["strict_tools"] is True
    assert "strict_tools" not in body(tools=(Tool(name="a", strict=True), Tool(name="b")))


def test_tools_are_left_out_where_they_are_not_known() -> None:
    assert "tools" not in body(tools=TOOLS, quirks=Quirks(tools="none"))
    assert "tools" not in body(tools=TOOLS, known={"seed"})
    assert "tool_choice" not in body(tools=TOOLS, known={"tools"}, tool_choice=ToolChoice(mode="required"))


def test_bug_23_a_form_beside_tools_or_documents_is_asked_for_in_words() -> None:
    assert body(format=ANSWER)["response_format"] == {"type": "json_object", "json_schema": {"type": "object"}}
    file = Turn(role="user", blocks=(Text(text="q"), File(text="words")))
    for got in (body(format=ANSWER, tools=TOOLS), body(file, format=ANSWER)):
        assert "response_format" not in got
        assert got["messages"][-1]["role"] == "system"


def test_documents() -> None:
    got = body(Turn(role="user", blocks=(Text(text="q"), File(text="words", filename="a"))))
    assert got["documents"] == [{"id": "doc_0", "data": {"title": "a", "text": "words"}}]


def test_thinking() -> None:
    wish = ReasoningWish(max_tokens=100)
    assert body(reasoning=wish)["thinking"] == {"type": "enabled", "token_budget": 100}
    assert "thinking" not in body(reasoning=wish, known={"tools"})
    assert "thinking" in body(reasoning=wish, known={"include_reasoning"})
    thought = Turn(role="assistant", blocks=(Reasoning(text="hm"), Text(text="a")))
    assert b"hm" not in msgspec.json.encode(body(USER, thought))
    assert b"hm" in msgspec.json.encode(body(USER, thought, quirks=Quirks(reasoning_in="keep")))


def test_bug_17_only_coheres_own_keys_pass() -> None:
    extra = {"safety_mode": Raw(b'"STRICT"'), "documents": Raw(b'["x"]'), "session_id": Raw(b'"s"')}
    got = body(extra=extra)
    assert (got["safety_mode"], got["documents"]) == ("STRICT", ["x"])
    assert "session_id" not in got


def test_quirks_have_the_last_word() -> None:
    got = body(quirks=Quirks(drop=("stream",), rename={"max_tokens": "limit"}, set={"safety_mode": "OFF"}), max_tokens=3)
    assert got == {"model": "m", "messages": [{"role": "user", "content": "q"}], "limit": 3, "safety_mode": "OFF"}
