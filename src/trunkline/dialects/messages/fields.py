"""The top-level fields of a Messages request with their types and ranges (contract 5.2): one Struct, so that one decode checks them all.

Unknown fields are not listed and pass. `null` means "not set". Tools and content blocks are open sets: they stay raw here, and `blocks` and
`offers` look at them one by one.
"""

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from trunkline.dialects.preferences import ModelName, ModelNames, PreferencesWire

Positive = Annotated[int, Meta(ge=1)]
Object = dict[str, Raw]
Short = Annotated[str, Meta(max_length=256)]
Display = Literal["summarized", "omitted"]


class CacheControl(Struct, gc=False):
    type: Literal["ephemeral"] = "ephemeral"
    ttl: Literal["5m", "1h"] | None = None


class TextWire(Struct, gc=False):
    """A block of `system`."""

    type: Literal["text"]
    text: str
    cache_control: CacheControl | None = None


class MessageWire(Struct, gc=False):
    role: Literal["user", "assistant", "system"]
    content: str | list[Raw]


class ThinkingOn(Struct, tag_field="type", tag="enabled", gc=False):
    budget_tokens: Positive
    display: Display | None = None


class ThinkingOff(Struct, tag_field="type", tag="disabled", gc=False):
    display: Display | None = None


class ThinkingAdaptive(Struct, tag_field="type", tag="adaptive", gc=False):
    display: Display | None = None


class SchemaWire(Struct):
    type: Literal["json_schema"]
    schema: Object
    name: str | None = None


class OutputConfig(Struct):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: SchemaWire | None = None
    task_budget: Object | None = None


class ChoiceWire(Struct, gc=False):
    type: Literal["auto", "any", "none", "tool"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class FallbackWire(Struct, forbid_unknown_fields=True):
    model: ModelName


class MetadataWire(Struct):
    user_id: str | None = None


class ToolWire(Struct):
    """A function (`type` absent or `custom`), or a server tool, which is the upstream's business and may have any other fields."""

    type: str | None = None
    name: str | None = None
    description: str | None = None
    input_schema: Object | None = None
    strict: bool | None = None
    cache_control: CacheControl | None = None

    @property
    def is_function(self) -> bool:
        return self.type in (None, "custom")


class Fields(Struct):
    """Every known field."""

    messages: Annotated[list[MessageWire], Meta(min_length=1)]
    model: ModelName | None = None
    models: ModelNames | None = None
    fallbacks: Annotated[list[FallbackWire], Meta(max_length=3)] | None = None
    route: Literal["fallback", "sort"] | None = None
    provider: PreferencesWire | None = None
    plugins: list[Object] | None = None
    max_tokens: Positive | None = None
    system: str | list[TextWire] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    tools: list[ToolWire] | None = None
    tool_choice: ChoiceWire | None = None
    thinking: ThinkingOn | ThinkingOff | ThinkingAdaptive | None = None
    output_config: OutputConfig | None = None
    context_management: Object | None = None
    cache_control: CacheControl | None = None
    metadata: MetadataWire | None = None
    service_tier: str | None = None
    speed: Literal["fast", "standard"] | None = None
    session_id: Short | None = None
    user: Short | None = None
    trace: Object | None = None
    stop_server_tools_when: list[Object] | None = None
    thread: Object | None = None
