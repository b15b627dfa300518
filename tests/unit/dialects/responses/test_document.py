import msgspec
import pytest
from openai.types.responses import Response

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.responses.document import cut_short, document, ended, failed_document, output_text
from trunkline.dialects.responses.request import parse
from trunkline.errors import ApiError

IDENTITY = Identity("gen-1-x", "a/b", "P", 1700000000)
DEMANDED = {
    *("id", "object", "created_at", "model", "status", "completed_at", "output", "error", "incomplete_details", "temperature", "top_p"),
    *("presence_penalty", "frequency_penalty", "instructions", "metadata", "tools", "tool_choice", "parallel_tool_calls"),
}
"""The keys that OpenRouter's schema requires (contract section 11)."""


def begun(**fields: object) -> dict[str, object]:
    return document(IDENTITY, parse(msgspec.json.encode({"model": "a/b", "input": "hi", **fields})))


def plain(value: object) -> dict[str, object]:
    return msgspec.json.decode(msgspec.json.encode(value))  # type: ignore[no-any-return]


def test_every_key_that_sdks_demand_is_there() -> None:
    assert begun().keys() >= DEMANDED
    Response.model_validate(plain(begun()))


def test_the_request_is_said_back() -> None:
    tool = {"type": "function", "name": "f", "parameters": {"z": 1, "a": 2}, "strict": None}
    got = plain(
        begun(instructions="be", tools=[tool], tool_choice="required", temperature=0.5, metadata={"k": "v"}, text={"verbosity": "low"})
    )
    assert (got["instructions"], got["tools"], got["tool_choice"], got["temperature"]) == ("be", [tool], "required", 0.5)
    assert (got["metadata"], got["text"], got["store"], got["status"]) == ({"k": "v"}, {"verbosity": "low"}, False, "in_progress")
    assert (plain(begun(tools=None))["tools"], plain(begun())["text"]) == ([], {"format": {"type": "text"}})


def test_an_end_says_what_came_of_it() -> None:
    output = [{"type": "message", "content": [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}]}, {"type": "x"}]
    done = ended(begun(), output, finish="stop", service_tier="flex", usage={"u": 1}, metadata=b'{"attempt":1}')
    assert (done["status"], done["incomplete_details"], done["output_text"], done["service_tier"]) == ("completed", None, "a", "flex")
    assert plain(done)["openrouter_metadata"] == {"attempt": 1}
    cut = ended(begun(), (), finish="length", service_tier=None, usage=None, metadata=None)
    assert (cut["status"], cut["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert "openrouter_metadata" not in cut


def test_a_failure_has_a_code_and_the_true_type() -> None:
    failed = failed_document(begun(), (), ApiError("authentication", "no key"))
    assert (failed["status"], failed["error"]) == ("failed", {"code": "server_error", "message": "no key"})
    assert failed["error_type"] == "authentication"
    long = failed_document(begun(), (), ApiError("max_tokens_exceeded", "m"))
    assert (long["status"], long["error"], long["incomplete_details"]) == ("incomplete", None, {"reason": "max_output_tokens"})


@pytest.mark.parametrize(("error_type", "told"), [("timeout", {"attempt": 1}), ("server", None)])
def test_what_the_router_knows_of_a_failure_is_told_with_it(error_type: str, told: object) -> None:
    error = ApiError(error_type, "m")
    error.router = b'{"attempt":1}'
    assert plain(failed_document(begun(), (), error)).get("openrouter_metadata") == told


def test_the_attempts_are_told_with_a_failure_but_not_with_a_masked_one() -> None:
    known = {"provider_name": "P", "previous_errors": [{"provider": "Q", "code": None, "status": 503}]}
    failed = failed_document(begun(), (), ApiError("timeout", "m", metadata=known))
    assert failed["error_metadata"] == known
    masked = failed_document(begun(), (), ApiError("server", "m", metadata=known, availability={"code": "x"}))
    assert not masked.keys() & {"error_metadata", "availability"}


def test_what_is_too_long_becomes_an_empty_response() -> None:
    asked = parse(msgspec.json.encode({"model": "a/b", "input": "hi"}))
    body = cut_short(IDENTITY, asked, ApiError("max_tokens_exceeded", "too much"))
    assert body is not None
    told = Response.model_validate(msgspec.json.decode(body))
    assert (told.status, told.output, told.error) == ("incomplete", [], None)
    assert told.incomplete_details is not None
    assert told.incomplete_details.reason == "max_output_tokens"
    assert cut_short(IDENTITY, asked, ApiError("invalid_request", "no")) is None


def test_text_is_of_all_messages() -> None:
    message = {"type": "message", "content": [{"type": "output_text", "text": "a"}]}
    assert output_text([message, {"type": "reasoning", "content": [{"type": "output_text", "text": "no"}]}, message]) == "aa"
