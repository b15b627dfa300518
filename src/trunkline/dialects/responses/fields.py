"""The top-level fields of a request to `POST /responses` with their types and ranges (contract 5.1): one decode checks them all.

Unknown fields are not listed and pass. `null` means "not set". `input` stays raw: `items` reads it.
"""

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from trunkline.dialects.preferences import ModelName, ModelNames, PreferencesWire

Effort = Literal["max", "xhigh", "high", "medium", "low", "minimal", "none"]
Positive = Annotated[int, Meta(ge=1)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Object = dict[str, Raw]
ABSENT = Raw()
"""A raw field that was not given."""


class ReasoningWire(Struct, gc=False):
    """`effort` or `max_tokens`; `exclude` is the chat dialect's and works here too."""

    effort: Effort | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    enabled: bool | None = None
    exclude: bool | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None
    context: Literal["auto", "all_turns", "current_turn"] | None = None
    mode: Literal["standard", "pro"] | None = None


class FormatWire(Struct):
    type: Literal["text", "json_object", "json_schema", "grammar", "python"]
    name: Annotated[str, Meta(max_length=64)] | None = None
    description: str | None = None
    schema: Object | None = None
    strict: bool | None = None


class TextWire(Struct):
    """How the answer's text is formed."""

    format: FormatWire | None = None
    verbosity: Literal["low", "medium", "high", "xhigh", "max"] | None = None


class ToolWire(Struct):
    """A function, a custom tool, or a server tool of another `type`, which is the upstream's business."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: Object | None = None
    strict: bool | None = None


class AllowedWire(Struct):
    type: str
    name: str | None = None


class ToolChoiceWire(Struct):
    """`function` and `custom` name a tool, `allowed_tools` narrows the tools; another `type` is a server tool's."""

    type: str
    name: str | None = None
    mode: Literal["auto", "required"] | None = None
    tools: list[AllowedWire] | None = None


class CacheControlWire(Struct):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None


class Fields(Struct):
    """Every known field."""

    input: Raw = ABSENT
    instructions: str | None = None
    model: ModelName | None = None
    models: ModelNames | None = None
    route: Literal["fallback", "sort"] | None = None
    provider: PreferencesWire | None = None
    preset: str | None = None
    plugins: list[Object] | None = None
    transforms: list[str] | None = None
    stream: bool | None = None
    stream_options: Object | None = None
    store: bool | None = None
    background: bool | None = None
    previous_response_id: str | None = None
    conversation: object = None
    prompt: object = None
    max_output_tokens: Positive | None = None
    max_tool_calls: Positive | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    tools: list[ToolWire] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoiceWire | None = None
    parallel_tool_calls: bool | None = None
    text: TextWire | None = None
    reasoning: ReasoningWire | None = None
    include: list[str] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    service_tier: Literal["auto", "default", "fast", "flex", "priority", "scale"] | None = None
    speed: Literal["fast", "standard"] | None = None
    modalities: list[Literal["text", "image", "audio"]] | None = None
    image_config: Object | None = None
    cache_control: CacheControlWire | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Object | None = None
    safety_identifier: str | None = None
    session_id: Annotated[str, Meta(max_length=256)] | None = None
    user: Annotated[str, Meta(max_length=256)] | None = None
    metadata: Annotated[dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)] | None = None
    trace: Object | None = None
    debug: Object | None = None
    stop_server_tools_when: list[Object] | None = None
