import json
from collections.abc import Callable

import pytest

from trunkline.dialects.messages import seal
from trunkline.dialects.messages.prepare import GATEWAY_KEYS, Splicer
from trunkline.dialects.messages.request import MessagesRequest, parse
from trunkline.protocol.catalogue import Endpoint

Make = Callable[..., Endpoint]
MESSAGES = (
    b'[ {"role":"user","content":"h\\u0069"},  {"content":[ {"type":"thinking","thinking":"x","signature":"s=="}],"role":"assistant"} ]'
)
TOOLS = b'[{"input_schema":{"z":1, "a":2},"name":"f"}]'


def request(messages: bytes = MESSAGES, **fields: object) -> MessagesRequest:
    rest = b"".join(b',"%b":%b' % (key.encode(), json.dumps(value).encode()) for key, value in fields.items())
    return parse(b'{"model":"a/b","messages":' + messages + b',"tools":' + TOOLS + rest + b"}")


def sent(endpoint: Endpoint, **fields: object) -> dict[str, object]:
    return json.loads(Splicer(endpoint).splice(request(**fields)))  # type: ignore[no-any-return]


def test_bug_11_messages_and_tools_keep_their_bytes(endpoint: Make) -> None:
    body = Splicer(endpoint()).splice(request())
    assert MESSAGES in body
    assert TOOLS in body


def test_bug_17_keys_of_the_gateway_stay_here(endpoint: Make) -> None:
    said = {
        **{"models": ["c/d"], "provider": {}, "plugins": [], "session_id": "s", "trace": {}, "user": "u", "metadata": {"user_id": "u"}},
        **{"stop_server_tools_when": [], "route": "fallback"},
    }
    assert sent(endpoint(), **said).keys() == {"model", "messages", "tools", "max_tokens"}
    assert said.keys() <= GATEWAY_KEYS


def test_the_model_is_the_upstreams_and_other_keys_pass(endpoint: Make) -> None:
    body = sent(endpoint(), max_tokens=7, context_management={"edits": []}, top_k=None, betas=["x"])
    assert (body["model"], body["max_tokens"], body["context_management"], body["betas"]) == ("up-1", 7, {"edits": []}, ["x"])
    assert "top_k" not in body


@pytest.mark.parametrize(("limit", "expected"), [(None, 4096), (64_000, 64_000)])
def test_bug_21_an_output_limit_is_always_sent(endpoint: Make, limit: int | None, expected: int) -> None:
    assert sent(endpoint(limit=limit))["max_tokens"] == expected


def test_bug_21_parameters_that_the_endpoint_lacks_are_dropped(endpoint: Make) -> None:
    thinking = {"type": "enabled", "budget_tokens": 2000}
    body = sent(endpoint(supported={"tools"}), temperature=0.5, top_k=3, stop_sequences=["x"], thinking=thinking)
    assert body.keys() == {"model", "messages", "tools", "max_tokens"}
    assert "tools" not in sent(endpoint(supported={"temperature"}))
    assert sent(endpoint(supported={"reasoning"}), thinking=thinking)["thinking"] == thinking


@pytest.mark.parametrize(("tier", "out"), [("auto", "auto"), ("priority", "auto"), ("standard_only", "standard_only"), ("flex", None)])
def test_tiers_are_in_anthropics_words(endpoint: Make, tier: str, out: str | None) -> None:
    assert sent(endpoint(), service_tier=tier).get("service_tier") == out


def test_bug_02_thinking_that_anthropic_did_not_sign_is_taken_out(endpoint: Make) -> None:
    sealed = seal.close(seal.Sealed("openai-responses-v1", data="d"))
    messages = json.dumps(
        [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": sealed}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": [{"type": "redacted_thinking", "data": sealed}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "own"}]},
        ]
    ).encode()
    body = json.loads(Splicer(endpoint()).splice(request(messages)))
    assert [message["content"] for message in body["messages"]] == [
        "a",
        [{"type": "text", "text": "b"}],
        [{"type": "thinking", "thinking": "x", "signature": "own"}],
    ]


def test_bug_02_an_endpoint_of_another_family_gets_no_thinking(endpoint: Make) -> None:
    body = sent(endpoint(reasoning_formats=("minimax-v1",)))
    assert body["messages"] == [{"role": "user", "content": "hi"}]


def test_bug_21_a_budget_becomes_an_effort_where_budgets_are_unknown(endpoint: Make) -> None:
    thinking = {"type": "enabled", "budget_tokens": 8000, "display": "summarized"}
    body = sent(endpoint(thinking="adaptive"), thinking=thinking, max_tokens=10_000)
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert body["output_config"] == {"effort": "high"}
    said = sent(endpoint(thinking="adaptive"), thinking=thinking, output_config={"effort": "low"})
    assert said["output_config"] == {"effort": "low"}


@pytest.mark.parametrize(
    ("config", "sent_config"),
    [
        ({"effort": "xhigh"}, {"effort": "high"}),
        ({"effort": "low"}, {"effort": "low"}),
        ({"effort": "max", "task_budget": {"type": "tokens"}}, {"task_budget": {"type": "tokens"}}),
        ({"task_budget": {"type": "tokens"}}, {"task_budget": {"type": "tokens"}}),
    ],
)
def test_an_effort_is_said_in_the_upstreams_word(endpoint: Make, config: dict[str, object], sent_config: dict[str, object]) -> None:
    there = endpoint(thinking="either", effort_map={"xhigh": "high", "max": ""})
    assert sent(there, output_config=config)["output_config"] == sent_config
    adaptive = {"type": "adaptive"}
    assert sent(endpoint(thinking="adaptive"), thinking=adaptive)["thinking"] == adaptive
    assert "thinking" not in sent(endpoint(thinking="none"), thinking=adaptive)


def test_bug_23_a_form_that_the_endpoint_does_not_know_is_asked_for_in_words(endpoint: Make) -> None:
    config = {"format": {"type": "json_schema", "schema": {"type": "object"}}, "effort": "low"}
    body = sent(endpoint(json_schema="none"), output_config=config, system="be kind")
    assert body["output_config"] == {"effort": "low"}
    system = body["system"]
    assert isinstance(system, list)
    assert system[0] == {"type": "text", "text": "be kind"}
    assert '{"type":"object"}' in system[1]["text"]
    blocks = [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]
    assert sent(endpoint(json_schema="tool"), output_config={"format": config["format"]}, system=blocks)["system"][:1] == blocks  # type: ignore[index]
    assert "output_config" not in sent(endpoint(json_schema="tool"), output_config={"format": config["format"]})
    assert sent(endpoint(), output_config=config)["output_config"] == config


def test_bug_09_marks_are_written_as_the_endpoint_takes_them(endpoint: Make) -> None:
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    schema = {"type": "object", "properties": {"cache_control": {"ttl": "1h"}}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "r", **mark}], **mark}
    call = {"type": "tool_use", "id": "t", "name": "f", "input": mark}
    body = {
        "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}],
        "system": [{"type": "text", "text": "s", **mark}],
        "tools": [{"name": "f", "input_schema": schema, **mark}],
        **mark,
    }
    asked = parse(json.dumps(body).encode())
    plain = json.loads(Splicer(endpoint(cache_marks="plain")).splice(asked))
    short = {"type": "ephemeral"}
    assert (plain["cache_control"], plain["system"][0]["cache_control"], plain["tools"][0]["cache_control"]) == (short, short, short)
    assert plain["tools"][0]["input_schema"] == schema
    assert plain["messages"][1]["content"] == [call]
    assert plain["messages"][2]["content"][0]["content"] == [{"type": "text", "text": "r", "cache_control": short}]
    bare = json.loads(Splicer(endpoint(cache_marks="none")).splice(asked))
    assert "cache_control" not in bare
    assert bare["messages"][2]["content"] == [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "r"}]}]
    assert json.loads(Splicer(endpoint()).splice(asked))["messages"] == body["messages"]


def test_quirks_drop_rename_and_set(endpoint: Make) -> None:
    made = endpoint(drop=("model", "top_k"), rename={"stop_sequences": "stops"}, set={"anthropic_version": "vertex-2023-10-16"})
    body = sent(made, top_k=3, stop_sequences=["x"])
    assert body.keys() == {"messages", "tools", "max_tokens", "stops", "anthropic_version"}


def test_a_count_has_only_what_counts(endpoint: Make) -> None:
    body = json.loads(Splicer(endpoint()).count(request(system="s", temperature=0.1, stream=True, max_tokens=4)))
    assert body.keys() == {"model", "messages", "tools", "system"}
