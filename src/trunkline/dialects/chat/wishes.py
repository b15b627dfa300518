"""The top-level wishes of a chat request, both ways: sampling, reasoning, the form of the answer, and what goes through as it is."""

from typing import Any, Final, Literal, get_args

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from trunkline.dialects.chat.fields import Effort, ReasoningWire
from trunkline.dialects.chat.parts import cache_control
from trunkline.dialects.chat.request import ChatRequest
from trunkline.dialects.hub.conversation import Conversation, Format, ReasoningWish, Sampling

_SAMPLED: Final = Sampling.__struct_fields__
_TIERS: Final = frozenset(("auto", "default", "fast", "flex", "priority", "scale"))
_VERBOSITIES: Final = frozenset(("low", "medium", "high", "xhigh", "max"))
_EFFORTS: Final = frozenset(get_args(Effort))


class SchemaIn(Struct):
    name: str = "response"
    description: str | None = None
    schema: Raw | UnsetType = UNSET
    strict: bool | None = None


class FormatIn(Struct):
    type: str
    json_schema: SchemaIn | None = None


class Wishes(Struct):
    """The fields as sent; `request` has checked their ranges."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    top_a: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    logit_bias: Raw | UnsetType = UNSET
    logprobs: bool | int | None = None
    top_logprobs: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    reasoning: ReasoningWire | None = None
    reasoning_effort: str | None = None
    response_format: FormatIn | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    parallel_tool_calls: bool | None = None
    verbosity: str | None = None
    service_tier: str | None = None
    prediction: Raw | UnsetType = UNSET
    modalities: list[str] | None = None
    image_config: Raw | UnsetType = UNSET
    audio: Raw | UnsetType = UNSET
    cache_control: object = None
    prompt_cache_key: str | None = None


WISHES: Final = Wishes.__struct_fields__


def given(value: Raw | UnsetType) -> Raw | None:
    """A JSON value as sent; None for null and for what is absent."""
    return None if isinstance(value, UnsetType) or bytes(value) == b"null" else Raw(bytes(value))


def sampling_of(wishes: Wishes) -> Sampling:
    """How tokens are drawn."""
    values = {name: getattr(wishes, name) for name in _SAMPLED}
    values["logit_bias"] = given(wishes.logit_bias)
    values["logprobs"] = None if wishes.logprobs is None else bool(wishes.logprobs)
    return Sampling(**values)


def reasoning_of(wishes: Wishes, request: ChatRequest) -> ReasoningWish | None:
    """What is asked of reasoning; None when nothing is."""
    wire = wishes.reasoning
    if wire is None and request.effort is None and not request.reasoning_excluded:
        return None
    wire = wire or ReasoningWire()
    return ReasoningWish(
        effort=None if request.effort == "none" else request.effort,
        max_tokens=wire.max_tokens or None,
        enabled=False if request.effort == "none" else wire.enabled,
        exclude=request.reasoning_excluded,
        summary=wire.summary,
        context=wire.context,
        mode=wire.mode,
    )


def format_of(wishes: Wishes) -> Format | None:
    """The form of the answer; None for one that the hub has no word for."""
    wanted = wishes.response_format
    if wanted is None:
        return None
    if wanted.type == "json_schema" and wanted.json_schema is not None:
        schema = wanted.json_schema
        return Format(
            kind="json_schema", name=schema.name, description=schema.description, schema=given(schema.schema), strict=schema.strict
        )
    kinds: dict[str, Literal["text", "json_object"]] = {"text": "text", "json_object": "json_object"}
    return Format(kind=kinds[wanted.type]) if wanted.type in kinds else None


def effort_of_wish(wish: ReasoningWish | None) -> str | None:
    """The effort asked for; `none` = no reasoning; reasoning that is only switched on means `medium`."""
    if wish is None:
        return None
    if wish.enabled is False:
        return "none"
    if wish.effort is None and wish.enabled and wish.max_tokens is None and not wish.adaptive:
        return "medium"
    return wish.effort


def wish_fields(conversation: Conversation) -> dict[str, object]:
    """The top-level fields as sent, without messages and tools. Words that chat servers do not know are left out."""
    sampling = msgspec.structs.asdict(conversation.sampling)
    fields: dict[str, object] = {
        **sampling,
        "max_tokens": conversation.max_tokens,
        "stop": list(conversation.stop) or None,
        "stream": True if conversation.stream else None,
        "verbosity": conversation.verbosity if conversation.verbosity in _VERBOSITIES else None,
        "service_tier": conversation.service_tier if conversation.service_tier in _TIERS else None,
        "prediction": conversation.prediction,
        "modalities": list(conversation.modalities) or None,
        "image_config": conversation.image_config,
        "audio": conversation.audio,
        "cache_control": None if conversation.cache is None else cache_control(conversation.cache),
        "prompt_cache_key": conversation.prompt_cache_key,
        "response_format": _format(conversation.format),
        "reasoning": _reasoning(conversation.reasoning),
    }
    return {key: value for key, value in fields.items() if value is not None}


def _format(form: Format | None) -> dict[str, Any] | None:
    if form is None:
        return None
    if form.kind != "json_schema":
        return {"type": form.kind}
    schema = {"name": form.name or "response", "description": form.description, "schema": form.schema, "strict": form.strict}
    return {"type": "json_schema", "json_schema": {key: value for key, value in schema.items() if value is not None}}


def _reasoning(wish: ReasoningWish | None) -> dict[str, object] | None:
    if wish is None:
        return None
    effort = "none" if wish.enabled is False else wish.effort
    wire: dict[str, object] = {}
    if effort is not None and effort in _EFFORTS:
        wire["effort"] = effort
    elif wish.max_tokens is not None:
        wire["max_tokens"] = wish.max_tokens
    elif wish.enabled or wish.adaptive:
        wire["enabled"] = True
    more = {"exclude": wish.exclude or None, "summary": wish.summary, "context": wish.context, "mode": wish.mode}
    return {**wire, **{key: value for key, value in more.items() if value is not None}}
