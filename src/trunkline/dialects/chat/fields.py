"""The top-level fields of a chat request with their types and ranges (contract 2.1): one Struct, so that one decode checks them all.

Unknown fields are not listed and pass. `null` means "not set".
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from trunkline.dialects.chat.messages import Messages
from trunkline.dialects.preferences import ModelName, ModelNames, PreferencesWire

Effort = Literal["max", "xhigh", "high", "medium", "low", "minimal", "none"]
Positive = Annotated[int, Meta(ge=1)]
Budget = Annotated[int, Meta(ge=0)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Share = Annotated[float, Meta(ge=0, le=1)]
Object = dict[str, Raw]
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")]


class ReasoningWire(Struct, gc=False):
    effort: Effort | None = None
    max_tokens: Budget | None = None
    enabled: bool | None = None
    exclude: bool | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    context: Literal["auto", "all_turns", "current_turn"] | None = None
    mode: Literal["standard", "pro"] | None = None


class FunctionWire(Struct):
    name: Name
    description: str | None = None
    parameters: Object | None = None
    strict: bool | None = None


class ToolWire(Struct):
    """A function, or a server tool of another `type`, which is the upstream's business."""

    type: str
    function: FunctionWire | None = None


class ChosenFunction(Struct):
    name: str


class ToolChoiceWire(Struct):
    type: str
    function: ChosenFunction | None = None


class SchemaWire(Struct):
    name: Annotated[str, Meta(max_length=64)]
    description: str | None = None
    schema: Object | None = None
    strict: bool | None = None


class FormatWire(Struct):
    type: Literal["text", "json_object", "json_schema", "grammar", "python"]
    json_schema: SchemaWire | None = None
    grammar: str | None = None


class PredictionWire(Struct):
    type: Literal["content"]
    content: str | list[Object]


class CacheControlWire(Struct):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None


class SearchOptionsWire(Struct):
    search_context_size: Literal["low", "medium", "high"] | None = None


class Fields(Struct):
    """Every known field. `logprobs` is an integer in legacy completions."""

    messages: Messages | UnsetType = UNSET
    prompt: str | None = None
    model: ModelName | None = None
    models: ModelNames | None = None
    route: Literal["fallback", "sort"] | None = None
    provider: PreferencesWire | None = None
    preset: str | None = None
    plugins: list[Object] | None = None
    transforms: list[str] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    min_p: Share | None = None
    top_a: Share | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    repetition_penalty: Annotated[float, Meta(gt=0, le=2)] | None = None
    seed: int | None = None
    n: Positive | None = None
    max_tokens: Positive | None = None
    max_completion_tokens: Positive | None = None
    logit_bias: dict[str, Annotated[float, Meta(ge=-100, le=100)]] | None = None
    logprobs: bool | int | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    stream: bool | None = None
    stream_options: Object | None = None
    usage: Object | None = None
    tools: list[ToolWire] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoiceWire | None = None
    parallel_tool_calls: bool | None = None
    response_format: FormatWire | None = None
    prediction: PredictionWire | None = None
    reasoning: ReasoningWire | None = None
    reasoning_effort: Effort | None = None
    include_reasoning: bool | None = None
    verbosity: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    service_tier: Literal["auto", "default", "fast", "flex", "priority", "scale"] | None = None
    speed: Literal["fast", "standard"] | None = None
    modalities: list[Literal["text", "image", "audio"]] | None = None
    audio: Object | None = None
    image_config: Object | None = None
    web_search_options: SearchOptionsWire | None = None
    x_search_filter: Object | None = None
    cache_control: CacheControlWire | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Object | None = None
    session_id: Annotated[str, Meta(max_length=256)] | None = None
    user: Annotated[str, Meta(max_length=256)] | None = None
    metadata: Annotated[dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)] | None = None
    trace: Object | None = None
    max_tool_calls: Annotated[int, Meta(ge=1, le=30)] | None = None
    stop_server_tools_when: list[Object] | None = None
    debug: Object | None = None
