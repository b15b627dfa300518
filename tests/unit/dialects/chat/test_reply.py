import msgspec
import pytest
from endpoints import PLAIN
from msgspec.structs import replace

from trunkline.dialects.chat.reply import ChatReply
from trunkline.dialects.chat.request import parse
from trunkline.dialects.chat.usage import usage_view
from trunkline.dialects.hub.translation import Identity
from trunkline.errors import ApiError
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.usage import Cost, Usage


def reply(body: object, *, options: dict[str, object] | None = None, **quirks: object) -> ChatReply:
    one = ChatReply("gen-1-abc", "a/b", "Prov", 1700000000, Quirks(**quirks), **(options or {}))  # type: ignore[arg-type]
    one.decode(body if isinstance(body, bytes) else msgspec.json.encode(body))
    return one


def answer(message: object = None, finish: object = "stop", **more: object) -> dict[str, object]:
    said = {"role": "assistant", "content": "Hi"} if message is None else message
    choice = {"index": 0, "message": said, "finish_reason": finish, "logprobs": None}
    return {"id": "up-1", "object": "chat.completion", "created": 5, "model": "m", "choices": [choice], **more}


def encoded(one: ChatReply) -> dict[str, object]:
    out = msgspec.json.decode(one.encode(Usage(1, 2), Cost()))
    assert isinstance(out, dict)
    return out


def message(one: ChatReply) -> dict[str, object]:
    return encoded(one)["choices"][0]["message"]  # type: ignore[index,no-any-return]


def test_the_body_has_the_shape_of_the_contract() -> None:
    one = reply(answer(usage={"total_tokens": 9}, service_tier="default", x_extra={"a": 1}))
    assert one.usage == {"total_tokens": 9}
    out = encoded(one)
    assert out == {
        "id": "gen-1-abc",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "a/b",
        "provider": "Prov",
        "system_fingerprint": None,
        "x_extra": {"a": 1},
        "service_tier": "default",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "native_finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hi", "refusal": None, "reasoning": None},
                "logprobs": None,
            }
        ],
        "usage": msgspec.to_builtins(usage_view(Usage(1, 2), Cost())),
    }
    assert list(out)[-1] == "usage"
    assert (one.upstream_id, one.service_tier, one.text_chars, one.empty, one.error) == ("up-1", "default", 2, False, None)


def test_metadata_rides_along() -> None:
    out = msgspec.json.decode(reply(answer()).encode(Usage(1, 2), Cost(10**12), metadata=b'{"attempt":1}'))
    assert (out["usage"]["cost"], out["openrouter_metadata"]) == (1, {"attempt": 1})


def test_reasoning_comes_with_details_or_not_at_all() -> None:
    body = answer({"role": "assistant", "content": "x", "reasoning_content": "hm"})
    assert message(reply(body))["reasoning"] == "hm"
    assert message(reply(body))["reasoning_details"] == [{"type": "reasoning.text", "text": "hm", "format": "unknown", "index": 0}]
    hidden = reply(body, options={"reasoning_excluded": True})
    assert message(hidden) == {"role": "assistant", "content": "x", "refusal": None, "reasoning": None}
    assert hidden.output_chars == 3


def test_tool_calls_are_complete() -> None:
    items = [
        {"function": {"name": "f", "arguments": {"a": 1}}, "index": 0},
        {"id": "c2", "function": {"name": "g"}, "index": 0, "extra_content": 5},
    ]
    one = reply(answer({"role": "assistant", "content": None, "tool_calls": items}))
    first, second = message(one)["tool_calls"]  # type: ignore[misc]
    assert first == {"id": first["id"], "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    assert second == {"id": "c2", "type": "function", "extra_content": 5, "function": {"name": "g", "arguments": "{}"}}
    assert (one.finish_reason, one.native_finish_reason, [call.name for call in one.tool_calls]) == ("tool_calls", "stop", ["f", "g"])


def test_a_wrapped_call_is_unwrapped() -> None:
    text = '{"name": "get_weather", "arguments": {"city": "Paris"}}'
    one = reply(answer({"role": "assistant", "content": text}), options={"forced_tool": "get_weather"})
    assert message(one)["content"] is None
    [call] = message(one)["tool_calls"]  # type: ignore[misc]
    assert call["function"] == {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    assert one.finish_reason == "tool_calls"


def test_legacy_text_mode() -> None:
    out = encoded(reply(answer(), options={"legacy": "text"}))
    assert out["object"] == "text_completion"
    [choice] = out["choices"]  # type: ignore[misc]
    assert choice["text"] == "Hi"
    assert "message" not in choice


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "malformed"),
        (b"<html>", "malformed"),
        (b"[]", "malformed"),
        (answer(finish="network_error"), "malformed"),
        (b"{}", "malformed"),
        ({"choices": None}, "malformed"),
        ({"error": {"code": 429, "message": "m"}}, "rate_limit"),
        ({"object": "error", "message": "m", "code": 503}, "overloaded"),
        ({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}, "choices": None}, "quota"),
    ],
)
def test_what_is_no_answer_is_an_error(body: object, kind: str) -> None:
    one = reply(body)
    assert one.error is not None
    assert one.error.kind == kind


@pytest.mark.parametrize(
    ("body", "empty"),
    [
        ({"choices": []}, True),
        (answer({"role": "assistant", "content": ""}, None), True),
        (answer({"role": "assistant", "content": None}, ""), True),
        (answer({}, "error"), True),
        (answer({"content": ""}, "stop"), False),
        (answer({"content": ""}, "content_filter"), False),
        (answer({"content": "x"}, None), False),
        (answer({"tool_calls": [{"id": "a", "function": {"name": "f"}}]}, None), False),
        (answer({"content": None, "images": [{"image_url": {"url": "data:"}}]}, None), False),
    ],
)
def test_empty_answers(body: object, empty: bool) -> None:
    assert reply(body).empty is empty


def test_bug_25_lone_surrogates_and_huge_numbers_do_not_break_an_answer() -> None:
    one = reply(b'{"choices":[{"message":{"content":"a\\ud83d"},"finish_reason":"stop"}],"usage":{"prompt_tokens":99999999999999999999}}')
    assert message(one)["content"] == "a\ufffd"
    assert one.usage == {"prompt_tokens": 99999999999999999999}


def test_several_choices() -> None:
    body = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}, {"message": {"content": "b"}, "finish_reason": "length"}]}
    out = encoded(reply(body))
    assert [(choice["index"], choice["finish_reason"]) for choice in out["choices"]] == [(0, "stop"), (1, "length")]  # type: ignore[attr-defined]


def test_calls_of_custom_tools_keep_their_shape_and_are_not_checked() -> None:
    call = {"id": "c", "type": "custom", "custom": {"name": "patch", "input": "*** Begin"}}
    one = reply(answer({"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls"))
    assert message(one)["tool_calls"] == [call]
    assert one.tool_calls == []
    assert not one.empty


@pytest.mark.parametrize(("quirk", "called"), [("schema", True), ("native", False)])
def test_of_knows_identity_endpoint_and_request(quirk: str, called: bool) -> None:
    endpoint = replace(PLAIN, quirks=Quirks(tools=quirk))  # type: ignore[arg-type]
    tools = [{"type": "function", "function": {"name": "f"}}]
    request = parse(msgspec.json.encode({"messages": [{"role": "user", "content": "q"}], "tools": tools, "tool_choice": "required"}))
    one = ChatReply.of(Identity("gen-1-abc", "a/b", "Prov", 7), endpoint, request)
    one.decode(msgspec.json.encode(answer({"role": "assistant", "content": '{"name": "f", "arguments": {}}'})))
    assert (encoded(one)["id"], encoded(one)["created"]) == ("gen-1-abc", 7)
    assert bool(one.tool_calls) == called
    given = ChatReply.of(Identity("gen-1-abc", "a/b", "Prov", 7), PLAIN, parse(b'{"prompt":"Once"}'), forced_tool="f")
    given.decode(msgspec.json.encode(answer({"role": "assistant", "content": '{"name": "f", "arguments": {}}'})))
    assert given.tool_calls
    assert encoded(given)["object"] == "text_completion"


BROKE = ApiError("provider_unavailable", "broke")


def partial(one: ChatReply) -> dict[str, object]:
    body = one.partial(BROKE)
    assert body is not None
    return msgspec.json.decode(body)  # type: ignore[no-any-return]


def test_a_failed_answer_keeps_its_words_with_the_error_inside_the_choice() -> None:
    one = reply(answer(finish="error", usage={"total_tokens": 9}))
    assert one.error is not None
    out = partial(one)
    assert (out["id"], out["provider"]) == ("gen-1-abc", "Prov")
    assert out["choices"][0]["message"]["content"] == "Hi"  # type: ignore[index]
    assert out["choices"][0]["finish_reason"] == "error"  # type: ignore[index]
    told = {"code": 502, "message": "broke", "metadata": {"error_type": "provider_unavailable"}}
    assert out["choices"][0]["error"] == told  # type: ignore[index]
    assert out["usage"] == msgspec.to_builtins(usage_view(Usage(), Cost()))


def test_of_several_choices_only_the_failed_ones_bear_the_error() -> None:
    said = {"role": "assistant", "content": "Hi"}
    choices = [{"index": place, "message": said, "finish_reason": finish} for place, finish in enumerate(("error", "stop"))]
    out = partial(reply(answer(choices=choices)))
    assert ["error" in choice for choice in out["choices"]] == [True, False]  # type: ignore[attr-defined]


def test_what_failed_without_words_has_no_partial_answer() -> None:
    assert reply(answer({"role": "assistant", "content": None}, "error")).partial(BROKE) is None
    assert reply({"error": {"message": "no", "code": 500}}).partial(BROKE) is None


def test_the_error_inside_a_choice_is_the_answers_error_whatever_the_finish_says() -> None:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "Hi"},
        "finish_reason": "stop",
        "error": {"code": 429, "message": "slow"},
    }
    one = reply(answer(choices=[choice]))
    assert one.error is not None
    assert one.error.kind == "rate_limit"
    assert partial(one)["choices"][0]["finish_reason"] == "error"  # type: ignore[index]
