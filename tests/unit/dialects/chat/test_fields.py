from collections.abc import Mapping

import msgspec
import pytest

from trunkline.dialects.chat.fields import Fields

GOOD: Mapping[str, list[object]] = {
    "temperature": [0, 2, 0.7, None],
    "top_p": [1, 0.01],
    "top_k": [0, 40],
    "min_p": [0, 1],
    "top_a": [0.5],
    "frequency_penalty": [-2, 2],
    "presence_penalty": [0],
    "repetition_penalty": [2, 0.1],
    "seed": [-1, 2**70],
    "max_tokens": [1],
    "max_completion_tokens": [100000],
    "logit_bias": [{"50256": -100}, {}],
    "logprobs": [True],
    "top_logprobs": [0, 20],
    "stop": ["x", [], ["a", "b", "c", "d"]],
    "stream": [True, False, None],
    "tools": [[], [{"type": "function", "function": {"name": "get_weather-1", "parameters": {}}}], [{"type": "openrouter:web_search"}]],
    "tool_choice": ["auto", {"type": "function", "function": {"name": "f"}}],
    "response_format": [{"type": "text"}, {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}],
    "reasoning": [{}, {"effort": "high", "exclude": True}, {"max_tokens": 2000}, {"max_tokens": 0}, {"enabled": True, "summary": "auto"}],
    "reasoning_effort": ["none", "xhigh"],
    "metadata": [{}, {"k" * 64: "v" * 512}],
    "session_id": ["s" * 256],
    "models": [["a/b", "c/d"], []],
    "max_tool_calls": [30],
    "modalities": [["text", "image"]],
}

BAD: Mapping[str, list[object]] = {
    "temperature": [-0.1, 2.1, "0.7", True],
    "top_p": [0, 1.1],
    "top_k": [-1, 1.5],
    "min_p": [-1, 2],
    "frequency_penalty": [-2.1],
    "presence_penalty": [3],
    "repetition_penalty": [0, 2.5],
    "seed": ["1", 1.5],
    "max_tokens": [0, -1, "5", 1.5],
    "logit_bias": [{"1": 101}, []],
    "top_logprobs": [21],
    "stop": [["a", "b", "c", "d", "e"], 5, [1]],
    "stream": ["true", 1],
    "tools": [{}, [{}], [{"type": "function", "function": {"name": "a b"}}], [{"type": "function", "function": {"name": "x" * 65}}]],
    "tool_choice": ["any", 5],
    "response_format": ["json", {"type": "xml"}, {"type": "json_schema", "json_schema": {"name": "n" * 65}}],
    "reasoning": [{"effort": "huge"}, {"max_tokens": -1}, True],
    "reasoning_effort": ["huge"],
    "metadata": [{"k" * 65: "v"}, {"k": "v" * 513}, {"k": 1}, {str(number): "" for number in range(17)}],
    "session_id": ["s" * 257, 5],
    "models": ["a/b", [1]],
    "max_tool_calls": [0, 31],
    "verbosity": ["loud"],
    "messages": [[], {}, None, [{"role": "bot", "content": ""}], [{"role": "user", "content": [{"type": "nonsense"}]}], ["hi"]],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD.items() for value in values])
def test_accepts(name: str, value: object) -> None:
    msgspec.json.decode(msgspec.json.encode({name: value}), type=Fields)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_refuses_and_names_the_field(name: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{name}"):
        msgspec.json.decode(msgspec.json.encode({name: value}), type=Fields)
