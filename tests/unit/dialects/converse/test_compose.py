"""Whole bodies."""

from typing import Any

import msgspec
import pytest
from endpoints import PLAIN
from msgspec import Raw
from msgspec.structs import replace

from trunkline.dialects.converse.compose import Composer, left_out
from trunkline.dialects.converse.tools import UNCALLED
from trunkline.dialects.hub.conversation import (
    Conversation,
    Format,
    ReasoningWish,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from trunkline.errors import ApiError
from trunkline.protocol.quirks import Quirks

USER = Turn(role="user", blocks=(Text(text="q"),))
CALLED = (
    USER,
    Turn(role="assistant", blocks=(ToolCall(id="1", name="old"),)),
    Turn(role="tool", blocks=(ToolResult(id="1", blocks=(Text(text="r"),)),)),
)
TOOL = Tool(name="f", parameters=Raw(b'{"type":"object","properties":{}}'))
SCHEMA = Raw(b'{"type":"object","properties":{},"additionalProperties":false}')
ANSWER = Format(kind="json_schema", name="a", schema=SCHEMA)


def body(*turns: Turn, quirks: Quirks | None = None, known: set[str] | None = None, **changes: Any) -> Any:
    endpoint = replace(PLAIN, quirks=quirks or Quirks(), supported_parameters=None if known is None else frozenset(known))
    return msgspec.json.decode(Composer(endpoint).compose(Conversation(turns=turns or (USER,), **changes)))


def test_the_smallest_body() -> None:
    assert body() == {"messages": [{"role": "user", "content": [{"text": "q"}]}]}
    with pytest.raises(ApiError, match="nothing to send"):
        Composer(PLAIN).compose(Conversation(turns=()))


def test_limits_and_sampling() -> None:
    sampling = Sampling(temperature=1.7, top_p=0.9, top_k=5, seed=1, frequency_penalty=1)
    got = body(max_tokens=10, sampling=sampling, stop=("END", " "), service_tier="flex")
    assert got["inferenceConfig"] == {"maxTokens": 10, "temperature": 1.0, "stopSequences": ["END"]}
    assert got["additionalModelRequestFields"] == {"top_k": 5}
    assert got["serviceTier"] == {"type": "flex"}
    assert body(sampling=Sampling(top_p=0.9))["inferenceConfig"] == {"topP": 0.9}
    assert "serviceTier" not in body(service_tier="auto")


def test_bug_21_only_known_parameters_are_sent() -> None:
    asked: dict[str, Any] = {"sampling": Sampling(temperature=0.5, top_k=5), "stop": ("x",), "reasoning": ReasoningWish(effort="high")}
    assert set(body(known={"max_tokens"}, **asked)) == {"messages"}
    assert body(known={"temperature"}, **asked)["inferenceConfig"] == {"temperature": 0.5}
    adaptive: dict[str, Any] = {"quirks": Quirks(thinking="adaptive"), "verbosity": "low"}
    assert body(**adaptive)["additionalModelRequestFields"] == {"output_config": {"effort": "low"}}
    assert "additionalModelRequestFields" not in body(known={"reasoning"}, **adaptive)
    assert "thinking" in body(known={"include_reasoning"}, **asked)["additionalModelRequestFields"]


def test_bug_21_a_claude_that_thinks_takes_no_sampling() -> None:
    got = body(sampling=Sampling(temperature=0.5, top_p=0.9, top_k=3), reasoning=ReasoningWish(max_tokens=2000), max_tokens=9000)
    assert got["inferenceConfig"] == {"maxTokens": 9000}
    assert got["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 2000}}
    levels = body(sampling=Sampling(temperature=0.5), reasoning=ReasoningWish(effort="low"), quirks=Quirks(thinking="level"))
    assert levels["inferenceConfig"] == {"temperature": 0.5}
    assert levels["additionalModelRequestFields"] == {"reasoning_effort": "low"}


def test_bug_21_a_demanded_call_and_thinking() -> None:
    got = body(tools=(TOOL,), tool_choice=ToolChoice(mode="required"), reasoning=ReasoningWish(max_tokens=2000))
    assert got["toolConfig"]["toolChoice"] == {"any": {}}
    assert "additionalModelRequestFields" not in got


def test_tools_and_choices() -> None:
    got = body(tools=(TOOL,), tool_choice=ToolChoice(mode="function", name="f"))
    assert got["toolConfig"]["tools"][0]["toolSpec"]["name"] == "f"
    assert got["toolConfig"]["toolChoice"] == {"tool": {"name": "f"}}
    assert "toolChoice" not in body(tools=(TOOL,))["toolConfig"]
    assert "toolChoice" not in body(tools=(TOOL,), tool_choice=ToolChoice(mode="required"), known={"tools"})["toolConfig"]
    for got in (body(tools=(TOOL,), quirks=Quirks(tools="none")), body(tools=(TOOL,), known=set())):
        assert "toolConfig" not in got


def test_a_history_with_calls_always_has_tools() -> None:
    assert body(*CALLED)["toolConfig"]["tools"][0]["toolSpec"]["name"] == "old"
    assert "toolChoice" not in body(*CALLED, tool_choice=ToolChoice(mode="required"))["toolConfig"]
    assert "toolConfig" not in body(*CALLED, quirks=Quirks(tools="none"))


def test_no_calls_are_asked_for_in_words() -> None:
    never = ToolChoice(mode="none")
    assert "toolConfig" not in body(tools=(TOOL,), tool_choice=never)
    got = body(*CALLED, tools=(TOOL,), tool_choice=never)
    assert got["toolConfig"] == {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "properties": {}}}}}]}
    assert got["system"] == [{"text": UNCALLED}]


def test_bug_23_a_form_in_each_way() -> None:
    assert body(format=ANSWER)["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"] == bytes(SCHEMA).decode()
    tool = body(format=ANSWER, quirks=Quirks(json_schema="tool"))
    assert tool["toolConfig"]["toolChoice"] == {"tool": {"name": "structured_answer"}}
    beside = body(format=ANSWER, tools=(TOOL,), quirks=Quirks(json_schema="tool"))
    assert [one["toolSpec"]["name"] for one in beside["toolConfig"]["tools"]] == ["f", "structured_answer"]
    assert beside["toolConfig"]["toolChoice"] == {"any": {}}
    after = body(*CALLED, format=ANSWER, quirks=Quirks(json_schema="tool"))
    assert after["toolConfig"]["toolChoice"] == {"tool": {"name": "structured_answer"}}
    alone = body(*CALLED, format=ANSWER, tools=(TOOL,), tool_choice=ToolChoice(mode="none"), quirks=Quirks(json_schema="tool"))
    assert alone["toolConfig"]["toolChoice"] == {"tool": {"name": "structured_answer"}}
    assert "system" not in alone
    thinks = body(format=ANSWER, quirks=Quirks(json_schema="tool"), reasoning=ReasoningWish(max_tokens=2000))
    assert "toolConfig" not in thinks
    assert "JSON schema" in thinks["system"][0]["text"]
    assert "JSON object" in body(format=Format(kind="json_object"))["system"][0]["text"]


def test_bug_09_marks_of_all_places() -> None:
    got = body(
        Turn(role="system", blocks=(Text(text="s", cache="1h"),)),
        Turn(role="user", blocks=(Text(text="q", cache="5m"), Text(text="r"))),
        tools=(replace(TOOL, cache="1h"),),
        cache="5m",
    )
    point = {"cachePoint": {"type": "default"}}
    long = {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert got["toolConfig"]["tools"][1] == long
    assert got["system"] == [{"text": "s"}, long]
    assert got["messages"][0]["content"] == [{"text": "q"}, point, {"text": "r"}, point]
    assert b"cachePoint" not in msgspec.json.encode(body(cache="5m", quirks=Quirks(cache_marks="none")))


def test_bug_17_only_converses_own_keys_pass() -> None:
    extra = {"guardrailConfig": Raw(b'{"guardrailIdentifier":"g"}'), "session_id": Raw(b'"s"'), "models": Raw(b"[]")}
    assert set(body(extra=extra)) == {"messages", "guardrailConfig"}


def test_quirks_reach_into_the_objects() -> None:
    quirks = Quirks(
        drop=("temperature", "serviceTier"),
        rename={"top_k": "k"},
        set={"additionalModelRequestFields": {"anthropic_beta": ["context-1m"]}, "performanceConfig": {"latency": "optimized"}},
    )
    got = body(quirks=quirks, sampling=Sampling(temperature=0.5, top_k=3), service_tier="flex")
    assert got == {
        "messages": [{"role": "user", "content": [{"text": "q"}]}],
        "additionalModelRequestFields": {"k": 3, "anthropic_beta": ["context-1m"]},
        "performanceConfig": {"latency": "optimized"},
    }


def test_bug_11_tools_keep_their_order_and_bytes() -> None:
    schema = b'{"type":"object","properties":{"z":{},"a":{"x":1.0}}}'
    tools = tuple(Tool(name=name, parameters=Raw(schema)) for name in ("z", "a", "m"))
    data = Composer(PLAIN).compose(Conversation(turns=(USER,), tools=tools))
    assert data.count(schema) == 3
    assert data.index(b'"name":"z"') < data.index(b'"name":"a"') < data.index(b'"name":"m"')


@pytest.mark.parametrize("reasoning", [None, ReasoningWish(effort="low")])
@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("temperature", [None, 0.2])
def test_what_is_left_out_is_what_the_body_lacks(reasoning: ReasoningWish | None, forced: bool, temperature: float | None) -> None:
    asked = Sampling(temperature=temperature, top_p=0.96, top_k=3)
    tools: dict[str, Any] = {"tools": (TOOL,), "tool_choice": ToolChoice(mode="required")} if forced else {}
    fields: dict[str, Any] = {"reasoning": reasoning, "sampling": asked, "max_tokens": 10_000, **tools}
    got = body(quirks=Quirks(thinking="budget"), **fields)
    sent = {*got["inferenceConfig"], *got.get("additionalModelRequestFields", {})}
    wished = {name for name, wish in (("temperature", temperature), ("topP", 0.96), ("top_k", 3)) if wish is not None}
    named = left_out(replace(PLAIN, quirks=Quirks(thinking="budget")), Conversation(turns=(USER,), **fields))
    assert {"topP" if name == "top_p" else name for name in named} == wished - sent
