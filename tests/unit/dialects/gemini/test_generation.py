"""`generationConfig` (adapters 2.4, classes 21 and 23)."""

from typing import Any

import pytest
from msgspec import Raw

from trunkline.dialects.gemini.generation import generation_config, told_in_words, wording
from trunkline.dialects.hub.conversation import Conversation, Format, ReasoningWish, Sampling, Tool, ToolChoice
from trunkline.protocol.quirks import Quirks

SCHEMA = Raw(b'{"type":"object","properties":{"a":{"type":"string"}}}')
PLAIN = Quirks()
LEVELS = Quirks(thinking="level")


def config(quirks: Quirks = PLAIN, known: frozenset[str] | None = None, **fields: Any) -> dict[str, object]:
    return generation_config(Conversation(turns=(), **fields), quirks, known)


def thinking(wish: ReasoningWish, quirks: Quirks = PLAIN, max_tokens: int | None = None) -> object:
    return config(quirks, reasoning=wish, max_tokens=max_tokens).get("thinkingConfig")


def test_nothing_asked_nothing_said() -> None:
    assert config() == {}


def test_names() -> None:
    sampling = Sampling(
        temperature=0.0,
        top_p=0.5,
        top_k=3,
        presence_penalty=1.0,
        frequency_penalty=-1.0,
        seed=7,
        logprobs=True,
        top_logprobs=2,
        min_p=0.1,
        top_a=0.1,
        repetition_penalty=1.1,
        logit_bias=Raw(b"{}"),
    )
    assert config(sampling=sampling, max_tokens=9, stop=("a", "b"), verbosity="low", service_tier="flex") == {
        "temperature": 0.0,
        "topP": 0.5,
        "topK": 3,
        "presencePenalty": 1.0,
        "frequencyPenalty": -1.0,
        "seed": 7,
        "logprobs": 2,
        "responseLogprobs": True,
        "maxOutputTokens": 9,
        "stopSequences": ["a", "b"],
    }


def test_limits_of_the_upstream() -> None:
    assert config(stop=tuple("abcdefg"))["stopSequences"] == list("abcde")
    assert config(sampling=Sampling(seed=2**40 + 5))["seed"] == 5
    assert config(sampling=Sampling(seed=-1))["seed"] == 2**31 - 1
    assert config(sampling=Sampling(top_logprobs=2)) == {}
    assert config(sampling=Sampling(logprobs=False, top_logprobs=2)) == {}


def test_bug_21_what_the_endpoint_lacks_is_dropped() -> None:
    fields = {
        "sampling": Sampling(temperature=1.0, seed=1),
        "stop": ("x",),
        "format": Format(kind="json_object"),
        "reasoning": ReasoningWish(effort="low"),
        "max_tokens": 5,
    }
    assert config(known=frozenset(("temperature",)), **fields) == {"temperature": 1.0, "maxOutputTokens": 5}
    assert len(config(known=frozenset(("temperature", "seed", "stop", "structured_outputs", "reasoning")), **fields)) == 6


@pytest.mark.parametrize(
    ("wish", "max_tokens", "wanted"),
    [
        (ReasoningWish(), None, {"includeThoughts": True}),
        (ReasoningWish(exclude=True), None, None),
        (ReasoningWish(effort="high"), None, {"includeThoughts": True, "thinkingBudget": 24_576}),
        (ReasoningWish(effort="low"), None, {"includeThoughts": True, "thinkingBudget": 1_024}),
        (ReasoningWish(effort="medium"), 10_000, {"includeThoughts": True, "thinkingBudget": 5_000}),
        (ReasoningWish(effort="max"), 65_536, {"includeThoughts": True, "thinkingBudget": 24_576}),
        (ReasoningWish(effort="minimal"), 100, {"includeThoughts": True, "thinkingBudget": 1_024}),
        (ReasoningWish(effort="high", exclude=True), None, {"thinkingBudget": 24_576}),
        (ReasoningWish(max_tokens=300), None, {"includeThoughts": True, "thinkingBudget": 300}),
        (ReasoningWish(enabled=True), None, {"includeThoughts": True, "thinkingBudget": 8_192}),
        (ReasoningWish(adaptive=True), None, {"includeThoughts": True, "thinkingBudget": -1}),
        (ReasoningWish(enabled=False), None, {"thinkingBudget": 0}),
        (ReasoningWish(effort="none"), None, {"thinkingBudget": 0}),
        (ReasoningWish(max_tokens=0), None, {"thinkingBudget": 0}),
    ],
)
def test_bug_21_budgets(wish: ReasoningWish, max_tokens: int | None, wanted: object) -> None:
    assert thinking(wish, max_tokens=max_tokens) == wanted


@pytest.mark.parametrize(
    ("wish", "wanted"),
    [
        (ReasoningWish(), {"includeThoughts": True}),
        (ReasoningWish(effort="xhigh"), {"includeThoughts": True, "thinkingLevel": "high"}),
        (ReasoningWish(effort="minimal"), {"includeThoughts": True, "thinkingLevel": "minimal"}),
        (ReasoningWish(enabled=True), {"includeThoughts": True, "thinkingLevel": "medium"}),
        (ReasoningWish(max_tokens=300), {"includeThoughts": True, "thinkingBudget": 300}),
        (ReasoningWish(adaptive=True), {"includeThoughts": True}),
        (ReasoningWish(effort="none"), {"thinkingLevel": "minimal"}),
        (ReasoningWish(enabled=False, max_tokens=300), {"thinkingLevel": "minimal"}),
    ],
)
def test_bug_21_levels(wish: ReasoningWish, wanted: object) -> None:
    assert thinking(wish, LEVELS) == wanted


def test_an_endpoints_own_words_for_efforts() -> None:
    quirks = Quirks(thinking="level", effort_map={"medium": "high", "minimal": "low", "none": ""})
    assert thinking(ReasoningWish(effort="medium"), quirks) == {"includeThoughts": True, "thinkingLevel": "high"}
    assert thinking(ReasoningWish(effort="none"), quirks) is None
    assert thinking(ReasoningWish(effort="high"), Quirks(thinking="none")) is None


def test_forms_of_the_answer() -> None:
    wanted = Format(kind="json_schema", name="n", schema=SCHEMA)
    mime = {"responseMimeType": "application/json"}
    assert config(format=Format()) == {}
    assert config(format=Format(kind="json_object")) == mime
    assert config(format=wanted) == {**mime, "responseJsonSchema": SCHEMA}
    assert config(Quirks(json_schema="object"), format=wanted) == mime
    assert config(Quirks(json_schema="none"), format=wanted) == {}
    assert config(Quirks(tool_schema="subset"), format=wanted) == {
        **mime,
        "responseSchema": {"type": "object", "properties": {"a": {"type": "string"}}},
    }


def test_bug_23_a_form_beside_tools_is_told_in_words_where_it_must_be() -> None:
    old = Quirks(json_schema_with_tools=False)
    asked = Conversation(turns=(), tools=(Tool(name="f"),), format=Format(kind="json_schema", schema=SCHEMA))
    assert told_in_words(asked, old)
    assert generation_config(asked, old, None) == {}
    assert not told_in_words(asked, Quirks())
    assert generation_config(asked, Quirks(), None)["responseJsonSchema"] == SCHEMA
    without = Conversation(turns=(), tools=(Tool(name="f"),), format=asked.format, tool_choice=ToolChoice(mode="none"))
    assert not told_in_words(without, old)
    assert bytes(SCHEMA).decode() in wording(Format(kind="json_schema", schema=SCHEMA))
    assert "JSON object" in wording(Format(kind="json_object"))


def test_pictures_and_sound() -> None:
    assert config(modalities=("text",)) == {}
    assert config(modalities=("image", "text"), image_config=Raw(b'{"aspect_ratio":"16:9","image_size":"2K","quality":"high"}')) == {
        "responseModalities": ["IMAGE", "TEXT"],
        "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
    }
    assert config(image_config=Raw(b'{"quality":"high"}')) == {}
    assert config(image_config=Raw(b"[]")) == {}
    assert config(modalities=("audio",), audio=Raw(b'{"voice":"Kore","format":"wav"}')) == {
        "responseModalities": ["AUDIO"],
        "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
    }
    assert config(audio=Raw(b'{"voice":"Kore"}')) == {}
