"""`generationConfig`: limits, sampling, the form of the answer and how much to think (Gemini API reference, `GenerationConfig`)."""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from trunkline.dialects import efforts
from trunkline.dialects.gemini import schema
from trunkline.dialects.hub.conversation import Conversation, Format, ReasoningWish, Sampling
from trunkline.protocol.quirks import Quirks

Config = dict[str, object]

MAX_STOPS: Final = 5
MAX_BUDGET: Final = 24_576
"""The greatest thinking budget that all models with budgets take (Gemini API, "Thinking": the range of 2.5 Flash)."""

DYNAMIC: Final = -1
_BUDGETS: Final = {"max": MAX_BUDGET, "xhigh": MAX_BUDGET, "high": MAX_BUDGET, "medium": 8_192, "low": 1_024, "minimal": 1_024}
"""Budgets without an output limit: Google's own reading of efforts (Gemini API, "OpenAI compatibility")."""

_LEVELS: Final = {"max": "high", "xhigh": "high", "high": "high", "medium": "medium", "low": "low", "minimal": "minimal", "none": "minimal"}
"""Contract 2.7. A model with levels cannot be kept from thinking, so `none` is the least."""

_SAMPLING: Final = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "seed": "seed",
    "top_logprobs": "logprobs",
    "logprobs": "responseLogprobs",
}
_IMAGE: Final = {"aspect_ratio": "aspectRatio", "aspectRatio": "aspectRatio", "image_size": "imageSize", "imageSize": "imageSize"}
_SEED_RANGE: Final = 2**31


def generation_config(conversation: Conversation, quirks: Quirks, known: Collection[str] | None) -> Config:
    """The `generationConfig` of a conversation. `known`: the parameters that the endpoint understands, None = all."""
    config = _sampling(conversation.sampling, known)
    if conversation.max_tokens is not None:
        config["maxOutputTokens"] = conversation.max_tokens
    if conversation.stop and _has(known, "stop"):
        config["stopSequences"] = list(conversation.stop[:MAX_STOPS])
    config.update(_modalities(conversation))
    if conversation.format is not None and _has(known, "response_format", "structured_outputs") and not told_in_words(conversation, quirks):
        config.update(_answer_format(conversation.format, quirks))
    if conversation.reasoning is not None and _has(known, "reasoning", "include_reasoning", "reasoning_effort"):
        thinking = _thinking(conversation.reasoning, conversation.max_tokens, quirks)
        if thinking:
            config["thinkingConfig"] = thinking
    return config


def told_in_words(conversation: Conversation, quirks: Quirks) -> bool:
    """Whether the form of the answer can only be asked for in the instruction: older models take no schema beside functions."""
    wanted = conversation.format
    functions = any(tool.kind == "function" for tool in conversation.tools) and conversation.tool_choice.mode != "none"
    return wanted is not None and wanted.kind != "text" and functions and not quirks.json_schema_with_tools


def wording(wanted: Format) -> str:
    """The instruction that stands in for a form."""
    if wanted.schema is None:
        return "Answer with a JSON object only."
    return f"Unless you call a function, answer only with JSON that fits this JSON schema: {bytes(wanted.schema).decode()}"


def _has(known: Collection[str] | None, *names: str) -> bool:
    return known is None or any(name in known for name in names)


def _sampling(sampling: Sampling, known: Collection[str] | None) -> Config:
    config: Config = {}
    for name, key in _SAMPLING.items():
        value = getattr(sampling, name)
        if value is not None and value is not False and _has(known, name):
            config[key] = value
    if sampling.seed is not None and "seed" in config:
        config["seed"] = sampling.seed % _SEED_RANGE
    if "logprobs" in config and "responseLogprobs" not in config:
        del config["logprobs"]
    return config


def _modalities(conversation: Conversation) -> Config:
    """What kinds of answer are asked for, where it is more than text."""
    config: Config = {}
    if set(conversation.modalities) - {"text"}:
        config["responseModalities"] = [name.upper() for name in conversation.modalities]
    if conversation.image_config is not None:
        wanted = _object(bytes(conversation.image_config))
        image = {_IMAGE[key]: value for key, value in wanted.items() if key in _IMAGE and isinstance(value, str)}
        if image:
            config["imageConfig"] = image
    if conversation.audio is not None and "audio" in conversation.modalities:
        voice = _object(bytes(conversation.audio)).get("voice")
        if isinstance(voice, str):
            config["speechConfig"] = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}}
    return config


def _object(data: bytes) -> Mapping[str, object]:
    value = msgspec.json.decode(data)
    return value if isinstance(value, dict) else {}


def _answer_format(wanted: Format, quirks: Quirks) -> Config:
    if wanted.kind == "text" or quirks.json_schema == "none":
        return {}
    config: Config = {"responseMimeType": "application/json"}
    if wanted.schema is None or quirks.json_schema == "object":
        return config
    if quirks.tool_schema == "native":
        config["responseJsonSchema"] = schema.native(wanted.schema, "response_format")
    else:
        config["responseSchema"] = schema.subset(wanted.schema, "response_format")
    return config


def _thinking(wish: ReasoningWish, max_tokens: int | None, quirks: Quirks) -> Config:
    """`thinkingConfig`. An explicit budget is sent to both kinds of models (contract 2.7)."""
    if quirks.thinking == "none":
        return {}
    off = wish.enabled is False or wish.effort == "none" or wish.max_tokens == 0
    config: Config = {} if off or wish.exclude else {"includeThoughts": True}
    effort = "none" if off else wish.effort or ("medium" if wish.enabled and not wish.adaptive else None)
    if quirks.thinking == "level":
        if wish.max_tokens and not off:
            return {**config, "thinkingBudget": wish.max_tokens}
        level = quirks.effort_map.get(effort, _LEVELS[effort]) if effort is not None else ""
        return {**config, "thinkingLevel": level} if level else config
    budget = _budget(wish, effort, max_tokens)
    return config if budget is None else {**config, "thinkingBudget": budget}


def _budget(wish: ReasoningWish, effort: str | None, max_tokens: int | None) -> int | None:
    if effort == "none":
        return 0
    if wish.max_tokens is not None:
        return wish.max_tokens
    if effort is None:
        return DYNAMIC if wish.adaptive else None
    return _BUDGETS[effort] if max_tokens is None else min(efforts.budget_of(effort, max_tokens), MAX_BUDGET)
