import msgspec
import pytest

from trunkline.dialects.responses.fields import Fields


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning": {"effort": "xhigh", "summary": "auto", "context": "all_turns", "mode": "pro"}},
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}, "verbosity": "max"}},
        {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}},
        {"tool_choice": {"type": "web_search_preview"}},
        {"temperature": 0, "top_p": 1, "top_logprobs": 20, "metadata": {"a": "b"}},
        {"prompt": None, "conversation": None, "unknown": [1]},
    ],
)
def test_what_the_contract_lists_is_accepted(fields: dict[str, object]) -> None:
    msgspec.json.decode(msgspec.json.encode(fields), type=Fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning": {"effort": "huge"}},
        {"max_output_tokens": 0},
        {"temperature": 2.1},
        {"top_p": 0},
        {"top_logprobs": 21},
        {"tool_choice": "any"},
        {"text": {"verbosity": "loud"}},
        {"metadata": {"k" * 65: "v"}},
        {"session_id": "s" * 257},
        {"input": "x", "stream": "yes"},
    ],
)
def test_what_is_out_of_range_is_not(fields: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(fields), type=Fields)
