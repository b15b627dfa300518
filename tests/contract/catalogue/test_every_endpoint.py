"""Every built-in endpoint can be asked: with its variables set, a request with tools, reasoning and a picture becomes a body of its dialect
for a plausible address, whatever the client speaks."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.load import load
from trunkline.inference.skins import CHAT, MESSAGES, RESPONSES, Skin
from trunkline.inference.ways import OUTBOUND, way
from trunkline.protocol.catalogue import Endpoint, Model

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
EFFORTS = ("max", "xhigh", "high", "medium", "low", "minimal", "none")
VERTEX = "/v1beta1/projects/my-project/locations/eu/publishers"
PATHS = {
    "chat": r"/chat/completions",
    "responses": r"/v1/responses",
    "messages": rf"/v1/messages|{VERTEX}/anthropic/models/claude-[a-z0-9@-]+:(streamR|r)awPredict",
    "gemini": rf"(/v1beta|{VERTEX}/google)/models/gemini-[a-z0-9.-]+:(generateContent|streamGenerateContent\?alt=sse)",
    "converse": r"/model/[A-Za-z0-9.%-]+/converse(-stream)?",
    "cohere": r"/v2/chat",
}
"""How the address of each dialect ends."""

VALUES = {"GOOGLE_CLOUD_PROJECT": "my-project", "GOOGLE_CLOUD_LOCATION": "eu", "AWS_REGION": "eu-west-1"}


class Given:
    """A request as a client sent it, in the shape that ways take."""

    def __init__(self, skin: Skin, body: Mapping[str, object]) -> None:
        self.request = skin.parse(msgspec.json.encode(body))
        self._skin = skin

    def conversation(self) -> Any:
        return self._skin.conversation(self.request)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    bare = load(None, {}, local="http://127.0.0.1:1/v1")
    names = {name for endpoint in bare.endpoints.values() for name in bare.missing_of(endpoint)}
    return load(None, {name: VALUES.get(name, "made-up") for name in names}, local="http://127.0.0.1:1/v1")


def pairs(catalogue: Catalogue) -> Iterator[tuple[Model, Endpoint]]:
    """Models that converse, with each of their endpoints."""
    for endpoint in catalogue.endpoints.values():
        model = catalogue.models[endpoint.model]
        if "text" in model.output_modalities:
            yield model, endpoint


def chat(model: Model, *, effort: str = "high") -> dict[str, object]:
    text = {"type": "text", "text": "What is the weather here?"}
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
    return {
        "model": model.id,
        "max_tokens": 8000,
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": [text, picture] if "image" in model.input_modalities else "Hello"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"},
        ],
        "tools": [{"type": "function", "function": {"name": "weather", "description": "The weather", "parameters": SCHEMA}}],
        **({"reasoning": {"effort": effort}} if model.reasoning is not None else {}),
    }


def responses(model: Model) -> dict[str, object]:
    parts: list[object] = [{"type": "input_text", "text": "Hello"}]
    if "image" in model.input_modalities:
        parts.append({"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PICTURE}"})
    return {
        "model": model.id,
        "instructions": "Be short.",
        "input": [{"type": "message", "role": "user", "content": parts}],
        "tools": [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}],
        **({"reasoning": {"effort": "high"}} if model.reasoning is not None else {}),
    }


def messages(model: Model) -> dict[str, object]:
    parts: list[object] = [{"type": "text", "text": "Hello"}]
    if "image" in model.input_modalities:
        parts.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}})
    return {
        "model": model.id,
        "max_tokens": 8000,
        "system": "Be short.",
        "messages": [{"role": "user", "content": parts}],
        "tools": [{"name": "weather", "input_schema": SCHEMA}],
        **({"thinking": {"type": "enabled", "budget_tokens": 2000}} if model.reasoning is not None else {}),
    }


def body(skin: Skin, request: Mapping[str, object], endpoint: Endpoint) -> dict[str, Any]:
    made = way(skin.dialect, endpoint).body(Given(skin, request))  # type: ignore[arg-type]
    return msgspec.json.decode(made, type=dict[str, Any])


def test_with_its_variables_every_endpoint_is_available(catalogue: Catalogue) -> None:
    assert [endpoint.id for _, endpoint in pairs(catalogue) if not catalogue.is_available(endpoint)] == []


def test_every_endpoint_has_a_plausible_address(catalogue: Catalogue) -> None:
    for _, endpoint in pairs(catalogue):
        for stream in (False, True):
            url = OUTBOUND[endpoint.dialect].url(endpoint, stream=stream)
            assert re.fullmatch(rf"(https://[a-z0-9.-]+|http://127\.0\.0\.1:1)[a-z0-9/._-]*({PATHS[endpoint.dialect]})", url), url


@pytest.mark.parametrize(("skin", "write"), [(CHAT, chat), (RESPONSES, responses), (MESSAGES, messages)])
def test_every_endpoint_is_asked_in_its_dialect(catalogue: Catalogue, skin: Skin, write: Any) -> None:
    for model, endpoint in pairs(catalogue):
        made = body(skin, write(model), endpoint)
        text = msgspec.json.encode(made).decode()
        assert endpoint.upstream_model in (made.get("model"), OUTBOUND[endpoint.dialect].url(endpoint, stream=False)) or "model" not in made
        known = endpoint.supported_parameters
        if skin is not CHAT and endpoint.quirks.tools == "native":
            assert ("weather" in text) == (known is None or "tools" in known), endpoint.id
        assert (PICTURE in text) == ("image" in model.input_modalities), endpoint.id


def sent(made: Mapping[str, Any]) -> list[str]:
    """The words for an effort in a body, in any dialect."""
    fields = made.get("additionalModelRequestFields") or {}
    places = [
        made.get("reasoning_effort"),
        (made.get("reasoning") or {}).get("effort"),
        (made.get("output_config") or {}).get("effort"),
        (made.get("generationConfig") or {}).get("thinkingConfig", {}).get("thinkingLevel"),
        (fields.get("output_config") or {}).get("effort"),
        fields.get("reasoning_effort"),
    ]
    return [place for place in places if place is not None]


def test_no_vendor_is_asked_for_an_effort_that_its_model_lacks(catalogue: Catalogue) -> None:
    checked = set()
    for model, endpoint in pairs(catalogue):
        if endpoint.quirks.native_reasoning or model.reasoning is None or not model.reasoning.supported_efforts:
            continue
        for effort in EFFORTS:
            words = sent(body(CHAT, chat(model, effort=effort), endpoint))
            known = {endpoint.quirks.effort_map.get(word, word) for word in model.reasoning.supported_efforts}
            assert known.issuperset(words), (endpoint.id, effort, words)
            checked |= {endpoint.dialect} if words else set()
    assert checked >= {"chat", "responses", "messages", "gemini", "converse"}


def test_a_model_with_budgets_is_given_one(catalogue: Catalogue) -> None:
    for name in ("anthropic/claude-haiku-4.5@anthropic", "anthropic/claude-haiku-4.5@google-vertex"):
        endpoint = catalogue.endpoints[name]
        request = chat(catalogue.models[endpoint.model])
        del request["messages"][2:]  # type: ignore[attr-defined]
        assert body(CHAT, request, endpoint)["thinking"] == {"type": "enabled", "budget_tokens": 6400}
    flash = catalogue.endpoints["google/gemini-2.5-flash@google-ai-studio"]
    config = body(CHAT, chat(catalogue.models[flash.model]), flash)["generationConfig"]
    assert config["thinkingConfig"] == {"includeThoughts": True, "thinkingBudget": 6400}


def test_claude_at_vertex_names_its_version_and_no_model(catalogue: Catalogue) -> None:
    endpoint = catalogue.endpoints["anthropic/claude-opus-4.7@google-vertex"]
    for skin, write in ((CHAT, chat), (MESSAGES, messages)):
        made = body(skin, write(catalogue.models[endpoint.model]), endpoint)
        assert made["anthropic_version"] == "vertex-2023-10-16"
        assert "model" not in made
        assert made["thinking"]["type"] == "adaptive"


def test_retired_models_name_one_that_is_in_service() -> None:
    models = load(None, {}).models
    retired = [model for model in models.values() if model.retired]
    assert {"google/gemini-3-pro-image-preview", "google/gemini-3.1-flash-image-preview"} <= {model.id for model in retired}
    for model in retired:
        assert model.expiration_date is not None, model.id
        assert model.successor in models and not models[model.successor].retired, model.id
