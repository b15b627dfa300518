import msgspec
import pytest
from endpoints import PLAIN
from msgspec import Raw
from msgspec.structs import replace

from trunkline.dialects.responses import seal
from trunkline.dialects.responses.prepare import Splicer
from trunkline.dialects.responses.request import parse
from trunkline.protocol.quirks import Quirks


def spliced(body: bytes, quirks: Quirks | None = None, supported: tuple[str, ...] | None = None) -> dict[str, Raw]:
    listed = None if supported is None else frozenset(supported)
    endpoint = replace(PLAIN, dialect="responses", quirks=quirks or Quirks(), supported_parameters=listed)
    return msgspec.json.decode(Splicer(endpoint).splice(parse(body)), type=dict[str, Raw])


def splice(quirks: Quirks | None = None, supported: tuple[str, ...] | None = None, **fields: object) -> dict[str, object]:
    body = spliced(msgspec.json.encode({"model": "a/b", "input": "hi", **fields}), quirks, supported)
    return {key: msgspec.json.decode(value) for key, value in body.items()}


def test_input_and_tools_keep_their_bytes() -> None:
    given = b'[ {"role":"user", "content":"a"}, {"type":"reasoning","id":"rs_1","summary":[], "encrypted_content":"ZQ=="} ]'
    tools = b'[{"name":"f", "type":"function","parameters":{"z":1.0,"a":{"$ref":"#/$defs/x"}}}]'
    body = spliced(b'{"tools":%b,"input":%b,"model":"a/b","stream":true}' % (tools, given))
    assert (bytes(body["input"]), bytes(body["tools"])) == (given, tools)
    assert (bytes(body["model"]), bytes(body["store"]), bytes(body["stream"])) == (b'"m"', b"false", b"true")
    assert list(body)[:3] == ["tools", "input", "model"]


def test_the_gateways_keys_stay_here() -> None:
    body = splice(
        models=["c/d"],
        provider={"only": ["x"]},
        plugins=[],
        route="fallback",
        session_id="s",
        trace={},
        user="u",
        metadata={"k": "v"},
        safety_identifier="me",
        debug={},
        stop_server_tools_when=[],
        preset="p",
        transforms=[],
        previous_response_id=None,
        background=False,
        conversation=None,
        prompt=None,
        cache_control={"type": "ephemeral"},
        image_config={},
        modalities=["text"],
        speed="fast",
        truncation="auto",
        something_new=1,
    )
    assert body == {"model": "m", "input": "hi", "store": False, "truncation": "auto", "something_new": 1}


def test_extensions_go_where_they_are_understood() -> None:
    body = splice(Quirks(native_reasoning=True), modalities=["text"], reasoning={"max_tokens": 5, "enabled": True})
    assert (body["modalities"], body["reasoning"]) == (["text"], {"max_tokens": 5, "enabled": True})


def test_limits_and_tiers() -> None:
    assert splice(max_output_tokens=1)["max_output_tokens"] == 16
    assert splice(max_output_tokens=100)["max_output_tokens"] == 100
    assert splice(service_tier="fast")["service_tier"] == "priority"


def test_what_the_endpoint_lacks_is_left_out() -> None:
    fields: dict[str, object] = {
        "temperature": 1,
        "top_p": 1,
        "top_k": 3,
        "frequency_penalty": 1,
        "reasoning": {"effort": "low"},
        "tools": [{"type": "function", "name": "f"}],
        "tool_choice": "required",
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
    }
    assert splice(supported=("temperature", "top_k"), **fields).keys() == {"model", "input", "store", "temperature", "top_k", "text"}
    assert splice(supported=("temperature",), **fields)["text"] == {"format": {"type": "text"}}
    assert splice(**fields).keys() == {"model", "input", "store", "include", *fields} - {"top_k", "frequency_penalty"}
    assert splice(Quirks(tools="none"), **fields).keys().isdisjoint({"tools", "tool_choice"})


SCHEMA = {"format": {"type": "json_schema", "name": "n", "schema": {}}}


@pytest.mark.parametrize(
    ("quirks", "text"),
    [
        (Quirks(), SCHEMA),
        (Quirks(json_schema="object"), {"format": {"type": "json_object"}}),
        (Quirks(json_schema="none"), {"format": {"type": "text"}}),
    ],
)
def test_a_schema_becomes_what_the_endpoint_takes(quirks: Quirks, text: object) -> None:
    assert splice(quirks, text=SCHEMA)["text"] == text


@pytest.mark.parametrize(
    ("wire", "quirks", "sent"),
    [
        ({"summary": "auto", "effort": "low"}, Quirks(), {"summary": "auto", "effort": "low"}),
        ({"max_tokens": 900}, Quirks(), {"effort": "minimal"}),
        ({"enabled": True}, Quirks(), {"effort": "medium"}),
        ({"enabled": False}, Quirks(), {"effort": "none"}),
        ({"effort": "minimal"}, Quirks(effort_map={"minimal": "low"}), {"effort": "low"}),
        ({"effort": "low", "summary": "auto", "exclude": True}, Quirks(), {"effort": "low"}),
        ({"effort": "low", "summary": "auto"}, Quirks(drop=("reasoning.summary",)), {"effort": "low"}),
        ({"exclude": True}, Quirks(), None),
        (None, Quirks(), None),
    ],
)
def test_reasoning_has_the_upstreams_words(wire: object, quirks: Quirks, sent: object) -> None:
    assert splice(quirks, reasoning=wire).get("reasoning") == sent


def test_encrypted_reasoning_is_always_asked_for() -> None:
    """The gateway keeps nothing, so that a caller can go on only with what it was given."""
    asked = ["reasoning.encrypted_content"]
    assert splice(supported=("reasoning",))["include"] == asked
    assert splice(supported=("reasoning",), include=["file_search_call.results"])["include"] == ["file_search_call.results", *asked]
    assert splice(supported=("reasoning",), include=asked)["include"] == asked
    assert splice(reasoning={"effort": "low"})["include"] == asked
    assert "include" not in splice()
    assert "include" not in splice(reasoning={"effort": "none"})
    assert "include" not in splice(supported=("temperature",))


def test_reasoning_that_the_endpoint_cannot_know_is_taken_out() -> None:
    own = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "ZQ=="}
    items = [
        {"role": "user", "content": "a"},
        {**own, "format": "openai-responses-v1"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "content": [{"type": "reasoning_text", "text": "t"}], "signature": "c"},
        {**own, "format": "anthropic-claude-v1"},
        {"type": "reasoning", "id": "rs_3", "summary": [{"type": "summary_text", "text": "s"}]},
        {"type": "web_search_call", "id": "ws_1"},
    ]
    assert splice(input=items)["input"] == [
        {"role": "user", "content": "a"},
        own,
        {"type": "reasoning", "id": "rs_2", "summary": [], "content": [{"type": "reasoning_text", "text": "t"}]},
        {"type": "web_search_call", "id": "ws_1"},
    ]
    other = splice(Quirks(reasoning_formats=("xai-responses-v1",)), input=items)["input"]
    assert [item.get("id") for item in other] == [None, "rs_2", "ws_1"]  # type: ignore[attr-defined]


def test_a_seal_goes_to_no_upstream() -> None:
    azure = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": seal.close("azure-openai-responses-v1", None, "ZQ==")}
    claude = {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": seal.close("anthropic-claude-v1", "s==", None)}
    damaged = {"type": "reasoning", "id": "rs_3", "summary": [], "encrypted_content": seal.PREFIX}
    asked = {"role": "user", "content": "hi"}
    sent = splice(Quirks(reasoning_formats=("azure-openai-responses-v1",)), input=[asked, azure, claude, damaged])
    assert sent["input"] == [asked, {**azure, "encrypted_content": "ZQ=="}]


def test_quirks_have_the_last_word() -> None:
    quirks = Quirks(drop=("truncation",), rename={"max_output_tokens": "limit"}, set={"store": True}, tool_choice_map={"required": "any"})
    tools = [{"type": "function", "name": "f"}]
    body = splice(quirks, truncation="auto", max_output_tokens=20, tools=tools, tool_choice="required")
    assert (body["limit"], body["store"], body["tool_choice"]) == (20, True, "any")
    assert "truncation" not in body
