import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Raw

from trunkline.dialects.hub.conversation import (
    Conversation,
    Format,
    ReasoningWish,
    Sampling,
    Text,
    Tool,
    ToolChoice,
    Turn,
)
from trunkline.dialects.messages.compose import Composer, left_out, supports
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Endpoint

Make = Callable[..., Endpoint]
USER = Turn(role="user", blocks=(Text(text="hi"),))
TOOL = Tool(name="f", parameters=Raw(b'{"type":"object","properties":{}}'))
CLOSED = Raw(b'{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}')


def made(endpoint: Endpoint, *turns: Turn, **fields: Any) -> dict[str, Any]:
    return json.loads(Composer(endpoint).compose(Conversation(turns=turns or (USER,), **fields)))  # type: ignore[no-any-return]


def test_a_small_body(endpoint: Make) -> None:
    assert made(endpoint()) == {
        "model": "up-1",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    }


@pytest.mark.parametrize(("asked", "limit", "sent"), [(7, 100, 7), (None, 100, 100), (None, None, 4096)])
def test_bug_21_an_output_limit_is_always_sent(endpoint: Make, asked: int | None, limit: int | None, sent: int) -> None:
    assert made(endpoint(limit=limit), max_tokens=asked)["max_tokens"] == sent


def test_bug_21_sampling_is_what_anthropic_takes(endpoint: Make) -> None:
    everything = Sampling(temperature=1.7, top_p=0.5, top_k=3, seed=1, frequency_penalty=1.0, logprobs=True)
    body = made(endpoint(), sampling=everything)
    assert (body["temperature"], body["top_k"]) == (1.0, 3)
    assert body.keys() == {"model", "max_tokens", "messages", "temperature", "top_k"}
    assert made(endpoint(), sampling=Sampling(top_p=0.5, top_k=0))["top_p"] == 0.5


def test_bug_21_a_model_that_thinks_takes_no_sampling(endpoint: Make) -> None:
    wish = ReasoningWish(effort="low")
    body = made(endpoint(), reasoning=wish, max_tokens=10_000, sampling=Sampling(temperature=0.2, top_p=0.96, top_k=3))
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    assert body["top_p"] == 0.96
    assert not {"temperature", "top_k"} & body.keys()
    assert "top_p" not in made(endpoint(), reasoning=wish, max_tokens=10_000, sampling=Sampling(top_p=0.5))


def test_bug_21_parameters_that_the_endpoint_lacks_are_dropped(endpoint: Make) -> None:
    body = made(
        endpoint(supported={"max_tokens"}),
        sampling=Sampling(temperature=0.5, top_k=3),
        stop=("x",),
        tools=(TOOL,),
        tool_choice=ToolChoice(mode="required"),
        reasoning=ReasoningWish(effort="high"),
    )
    assert body.keys() == {"model", "max_tokens", "messages"}


def test_bug_21_choices_that_the_endpoint_lacks_are_left_to_the_model(endpoint: Make) -> None:
    body = made(endpoint(supported={"tools"}), tools=(TOOL,), tool_choice=ToolChoice(mode="required", parallel=False))
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


def test_bug_21_a_demanded_call_turns_a_budget_off(endpoint: Make) -> None:
    wish = ReasoningWish(effort="high")
    body = made(endpoint(), tools=(TOOL,), tool_choice=ToolChoice(mode="required"), reasoning=wish, max_tokens=9000)
    assert body["tool_choice"] == {"type": "any"}
    assert "thinking" not in body
    assert made(endpoint(thinking="adaptive"), tools=(TOOL,), tool_choice=ToolChoice(mode="required"), reasoning=wish)["thinking"]


def test_bug_21_a_budget_above_the_limit_is_refused(endpoint: Make) -> None:
    with pytest.raises(ApiError, match="max_tokens"):
        made(endpoint(), reasoning=ReasoningWish(max_tokens=5000), max_tokens=3000)


def test_bug_08_blank_stop_sequences_are_left_out(endpoint: Make) -> None:
    assert made(endpoint(), stop=("END", " ", "\n"))["stop_sequences"] == ["END"]
    assert "stop_sequences" not in made(endpoint(), stop=("\n",))


def test_bug_09_marks_are_at_most_four_over_the_whole_body(endpoint: Make) -> None:
    marked = tuple(Text(text=str(index), cache="5m") for index in range(4))
    body = made(
        endpoint(),
        Turn(role="system", blocks=(Text(text="s", cache="1h"),)),
        Turn(role="user", blocks=marked),
        tools=(Tool(name="f", cache="1h"),),
    )
    assert body["tools"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert "cache_control" not in body["system"][0]
    assert [block["text"] for block in body["messages"][0]["content"] if "cache_control" in block] == ["1", "2", "3"]


def test_bug_09_the_automatic_mark_is_one_of_four(endpoint: Make) -> None:
    marked = tuple(Text(text=str(index), cache="5m") for index in range(4))
    body = made(endpoint(), Turn(role="user", blocks=marked), cache="1h")
    assert body["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert sum("cache_control" in block for block in body["messages"][0]["content"]) == 3
    plain = made(endpoint(cache_marks="plain"), Turn(role="user", blocks=marked[:1]), cache="1h")
    assert plain["cache_control"] == {"type": "ephemeral"}
    assert "cache_control" not in json.dumps(made(endpoint(cache_marks="none"), Turn(role="user", blocks=marked), cache="1h"))


def test_bug_23_a_form_goes_the_upstreams_own_way(endpoint: Make) -> None:
    wanted = Format(kind="json_schema", schema=CLOSED)
    body = made(endpoint(), format=wanted)
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": json.loads(bytes(CLOSED))}}


def test_bug_23_a_form_as_a_forced_tool(endpoint: Make) -> None:
    wanted = Format(kind="json_schema", schema=CLOSED, description="A person.")
    body = made(endpoint(json_schema="tool"), format=wanted)
    assert body["tools"] == [
        {"name": "structured_answer", "description": "Gives the answer. A person.", "input_schema": json.loads(bytes(CLOSED))}
    ]
    assert body["tool_choice"] == {"type": "tool", "name": "structured_answer"}
    beside = made(endpoint(json_schema="tool"), format=wanted, tools=(TOOL,))
    assert [tool["name"] for tool in beside["tools"]] == ["f", "structured_answer"]
    assert beside["tool_choice"] == {"type": "any"}
    alone = made(endpoint(json_schema="tool"), format=wanted, tools=(TOOL,), tool_choice=ToolChoice(mode="none"))
    assert alone["tool_choice"] == {"type": "tool", "name": "structured_answer"}


def test_bug_23_a_form_in_words_where_the_model_thinks(endpoint: Make) -> None:
    body = made(
        endpoint(json_schema="tool"),
        format=Format(kind="json_schema", schema=CLOSED),
        reasoning=ReasoningWish(effort="low"),
        max_tokens=9000,
    )
    assert "tools" not in body
    assert "JSON schema" in body["system"][0]["text"]
    assert body["thinking"]["type"] == "enabled"


def test_bug_23_json_without_a_schema_is_asked_for(endpoint: Make) -> None:
    body = made(endpoint(), Turn(role="system", blocks=(Text(text="s"),)), USER, format=Format(kind="json_object"))
    assert [block["text"][:6] for block in body["system"]] == ["s", "Answer"]


def test_a_tool_without_a_choice_is_left_to_the_model(endpoint: Make) -> None:
    assert "tool_choice" not in made(endpoint(), tools=(TOOL,))
    assert "tools" not in made(endpoint(tools="none"), tools=(TOOL,))


def test_bug_17_keys_of_other_dialects_are_not_sent(endpoint: Make) -> None:
    extra = {"context_management": Raw(b'{"edits":[]}'), "metadata": Raw(b"{}"), "output_config": Raw(b'{"task_budget":{"total":1}}')}
    assert made(endpoint(), extra=extra, dialect="chat").keys() == {"model", "max_tokens", "messages"}
    own = made(endpoint(), extra=extra, dialect="messages")
    assert own["context_management"] == {"edits": []}
    assert own["output_config"] == {"task_budget": {"total": 1}}
    assert "metadata" not in own


def test_efforts_tiers_and_streams(endpoint: Make) -> None:
    body = made(endpoint(thinking="adaptive"), reasoning=ReasoningWish(effort="high"), service_tier="priority", stream=True)
    assert (body["output_config"], body["service_tier"], body["stream"]) == ({"effort": "high"}, "auto", True)
    assert "service_tier" not in made(endpoint(), service_tier="flex")


def test_quirks_drop_rename_and_set(endpoint: Make) -> None:
    body = made(endpoint(drop=("model",), rename={"max_tokens": "limit"}, set={"anthropic_version": "vertex-2023-10-16"}))
    assert body.keys() == {"limit", "messages", "anthropic_version"}


def test_what_an_endpoint_knows(endpoint: Make) -> None:
    assert supports(endpoint())("anything")
    known = supports(endpoint(supported={"tools", "include_reasoning", "max_completion_tokens"}))
    assert [known(name) for name in ("tools", "parallel_tool_calls", "reasoning", "max_tokens", "top_k")] == [True] * 4 + [False]


@pytest.mark.parametrize("reasoning", [None, ReasoningWish(effort="low")])
@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("top_p", [None, 0.5, 0.96])
@pytest.mark.parametrize("temperature", [None, 0.2])
def test_what_is_left_out_is_what_the_body_lacks(
    endpoint: Make, reasoning: ReasoningWish | None, forced: bool, top_p: float | None, temperature: float | None
) -> None:
    asked = Sampling(temperature=temperature, top_p=top_p, top_k=3)
    tools: dict[str, Any] = {"tools": (TOOL,), "tool_choice": ToolChoice(mode="required")} if forced else {}
    one = Conversation(turns=(USER,), reasoning=reasoning, sampling=asked, max_tokens=10_000, **tools)
    wished = {name for name in ("temperature", "top_p", "top_k") if getattr(asked, name) is not None}
    assert left_out(endpoint(), one) == wished - json.loads(Composer(endpoint()).compose(one)).keys()
