"""The intermediate request: what a caller asks for, free of any dialect (docs/architecture.md, "Translation").

An inbound dialect decodes its body into a `Conversation`, an outbound one encodes it for an endpoint. Turns hold ordered blocks, and the
order of everything is the caller's. JSON inside (schemas, tool arguments, citations) stays text, so that no number and no key order is
damaged.
"""

from typing import Literal

from msgspec import Raw, Struct

Role = Literal["system", "user", "assistant", "tool"]
Ttl = Literal["5m", "1h"]
Effort = Literal["max", "xhigh", "high", "medium", "low", "minimal", "none"]
ReasoningFormat = str
"""Who made a piece of reasoning: `format` of contract 2.7 (`anthropic-claude-v1`, `openai-responses-v1`, `google-gemini-v1`, `unknown`).
Signatures and encrypted items go only to endpoints of that family (`Quirks.reasoning_formats`)."""


class Text(Struct, frozen=True, tag="text", kw_only=True):
    """Text. `cache` marks the end of a cached prefix; `annotations` are citations as JSON, in the chat wire's shape."""

    text: str
    cache: Ttl | None = None
    annotations: tuple[Raw, ...] = ()


class Refusal(Struct, frozen=True, tag="refusal", kw_only=True):
    """The model's refusal in the history."""

    text: str


class Reasoning(Struct, frozen=True, tag="reasoning", kw_only=True):
    """One item of `reasoning_details` (contract 2.7).

    `kind`: `text` with an optional `signature`, `summary`, or `encrypted` with `data`. Items of one upstream object share their `id`; for
    Gemini the `id` of an encrypted item is the tool call whose thought signature it is, and None stands for the block that follows it.
    """

    kind: Literal["text", "summary", "encrypted"] = "text"
    text: str = ""
    signature: str | None = None
    data: str | None = None
    format: ReasoningFormat = "unknown"
    id: str | None = None
    index: int | None = None


class ToolCall(Struct, frozen=True, tag="tool_call", kw_only=True):
    """A call the model made. `arguments` is JSON text for a function, free text for a `custom` tool."""

    id: str
    name: str
    arguments: str = "{}"
    kind: Literal["function", "custom"] = "function"
    cache: Ttl | None = None


class Image(Struct, frozen=True, tag="image", kw_only=True):
    """An image: `url` (http, https or gs), or `data` (base64) with its `media_type`."""

    url: str | None = None
    data: str | None = None
    media_type: str | None = None
    detail: str | None = None
    cache: Ttl | None = None


class Audio(Struct, frozen=True, tag="audio", kw_only=True):
    """Sound: base64 `data` in `format` (`wav`, `mp3`, ...)."""

    data: str
    format: str
    cache: Ttl | None = None


class Video(Struct, frozen=True, tag="video", kw_only=True):
    """A video: `url`, or base64 `data` with its `media_type`."""

    url: str | None = None
    data: str | None = None
    media_type: str | None = None
    cache: Ttl | None = None


class File(Struct, frozen=True, tag="file", kw_only=True):
    """A document: `url`, base64 `data` with its `media_type`, plain `text`, or an id at the upstream (`file_id`)."""

    filename: str | None = None
    url: str | None = None
    data: str | None = None
    media_type: str | None = None
    text: str | None = None
    file_id: str | None = None
    cache: Ttl | None = None


class ToolResult(Struct, frozen=True, tag="tool_result", kw_only=True):
    """What a tool gave back for the call `id`; `name` is the tool's, where known."""

    id: str
    name: str | None = None
    blocks: "tuple[Block, ...]" = ()
    is_error: bool = False
    cache: Ttl | None = None


class Opaque(Struct, frozen=True, tag="opaque", kw_only=True):
    """A block that only its own dialect knows: sent back to that dialect byte for byte, and dropped elsewhere."""

    dialect: str
    raw: Raw


Block = Text | Refusal | Reasoning | ToolCall | Image | Audio | Video | File | ToolResult | Opaque


class Turn(Struct, frozen=True, kw_only=True):
    """One message. `developer` marks a system turn that came under that role; `phase` is the Responses dialect's, kept for a round trip."""

    role: Role
    blocks: tuple[Block, ...] = ()
    name: str | None = None
    developer: bool = False
    phase: str | None = None


class Tool(Struct, frozen=True, kw_only=True):
    """A tool on offer. `parameters` is a JSON schema. A `custom` tool takes free text, its `raw` definition is kept; a `server` tool is the
    upstream's business: `raw` goes to an endpoint of its `dialect`, and is dropped elsewhere."""

    name: str
    kind: Literal["function", "custom", "server"] = "function"
    description: str | None = None
    parameters: Raw | None = None
    strict: bool | None = None
    cache: Ttl | None = None
    dialect: str = ""
    raw: Raw | None = None


class ToolChoice(Struct, frozen=True, kw_only=True):
    """Whether and what to call: `function` names one in `name`; `parallel` None = not said; `allowed` narrows the tools where not empty."""

    mode: Literal["auto", "none", "required", "function"] = "auto"
    name: str | None = None
    parallel: bool | None = None
    allowed: tuple[str, ...] = ()


class Sampling(Struct, frozen=True, kw_only=True):
    """How tokens are drawn; None = not said."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    top_a: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    logit_bias: Raw | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


class ReasoningWish(Struct, frozen=True, kw_only=True):
    """What is asked of reasoning (contract 2.7): an effort or a budget in tokens. `enabled` False = off. `adaptive` = the model decides.
    `summary` and `display` say how much of it is shown."""

    effort: Effort | None = None
    max_tokens: int | None = None
    enabled: bool | None = None
    adaptive: bool = False
    exclude: bool = False
    summary: str | None = None
    display: str | None = None


class Format(Struct, frozen=True, kw_only=True):
    """The form of the answer. `schema` is a JSON schema."""

    kind: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    description: str | None = None
    schema: Raw | None = None
    strict: bool | None = None


class Conversation(Struct, frozen=True, kw_only=True):
    """One request. `stop` holds stop sequences; `modalities` those asked of the answer; `extra` top-level keys that no field above covers,
    for endpoints of the caller's own dialect."""

    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice()
    max_tokens: int | None = None
    sampling: Sampling = Sampling()
    reasoning: ReasoningWish | None = None
    format: Format | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    verbosity: str | None = None
    service_tier: str | None = None
    prediction: Raw | None = None
    modalities: tuple[str, ...] = ()
    image_config: Raw | None = None
    audio: Raw | None = None
    cache: Ttl | None = None
    prompt_cache_key: str | None = None
    extra: dict[str, Raw] = {}
