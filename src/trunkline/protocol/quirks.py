"""How an endpoint differs from its dialect, as data: one flag for each difference that was seen at a real provider.

`providers/data/*.toml` sets them for a provider, `trunkline.toml` for an endpoint; `dialects` reads them and knows no vendor.
"""

from typing import Literal

from msgspec import Struct

ReasoningOut = Literal["none", "reasoning", "reasoning_content", "tags", "chunks"]
ReasoningIn = Literal["keep", "reasoning_content", "drop"]
StreamUsage = Literal["on_request", "always", "never"]
Tools = Literal["native", "schema", "none"]


class OperationQuirks(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """How an endpoint serves one operation beside chat (`embeddings`, `rerank`, `images`, `speech`, `transcription`).

    * `shape`: the form of its calls, where that is not its dialect's own (`inference.operations` has the names).
    * `path`: what follows the base URL in place of the shape's own path.
    * `batch`: inputs of one call at most, 0 = the shape's own limit.
    * `per_unit`: `prompt` is the price of a second (transcription), `image_output` that of an image, instead of a token.
    * `set`: keys that its bodies always have.
    * `passthrough`: the names under `provider.options` that are sent on.
    * `stream`: it can send images while they are made.
    * `input_types` (`embeddings`): the upstream's words for types of input (`search_query` -> `query`); an empty word = that type is not
    sent.
    * `voice`: what speaks when the caller names no voice; `voice_cloning`: it takes a voice sample.
    """

    shape: str = ""
    path: str = ""
    batch: int = 0
    per_unit: bool = False
    set: dict[str, object] = {}
    passthrough: tuple[str, ...] = ()
    stream: bool = False
    input_types: dict[str, str] = {}
    voice: str = ""
    voice_cloning: bool = False


NO_OPERATION_QUIRKS = OperationQuirks()


class Quirks(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """The deviations of one endpoint from its dialect. The defaults are a plain OpenAI-compatible `chat` server.

    * `max_tokens_key`: the name under which the output limit is sent.
    * `system_role`: the role of system messages (`developer` at OpenAI's reasoning models); `merge_system`: at most one, at the front.
    * `reasoning_out`: where the upstream puts reasoning: a field of that name, `<think>` tags in the content, or content chunks of type
    thinking.
    * `reasoning_in`: what becomes of reasoning in the history: `keep` our fields, send as `reasoning_content`, or `drop`.
    * `reasoning_effort_key`: the upstream's own name for the effort, empty where it has none.
    * `effort_map`: the upstream's words for our efforts (`minimal` -> `low`); an empty word = that effort is not sent.
    * `drop`, `rename`, `set`: top-level keys removed, renamed (`rename` runs after `drop`), or always set to a JSON value. In
    the responses dialect `drop` may also name `reasoning.summary`.
    * `stream_usage`: usage comes when asked by `stream_options`, always, or never; `usage_path`: where (`x_groq.usage`).
    * `tool_choice_map`: the upstream's words for ours (`required` -> `any`); `tool_id_length`: exact length of alphanumeric call ids, 0 =
    free.
    * `tools`: `schema` = a forced call is asked for as a JSON schema and wrapped into a tool call; `none` = never sent.
    * `json_schema`: `object` = a schema is sent as `json_object`, `tool` = asked for as a forced tool call and read back as text
    (`messages`), `none` = response_format is not sent.
    * `reasoning_outside_completion`: reasoning tokens are not inside completion_tokens and must be added.
    * `cache_hit_key`: a top-level usage key for cached tokens, where it is not `prompt_tokens_details.cached_tokens`.
    * `native_reasoning`: the upstream understands OpenRouter's `reasoning` object itself.
    * `reasoning_formats`: whose signatures and encrypted reasoning it accepts (`format` of contract 2.7); empty = its dialect's own.
    * `thinking` (`messages`, `gemini`, `converse`, `cohere`): how thinking is asked for: `budget` in tokens, `adaptive` with an effort,
    `either` = adaptive unless a budget is asked for, `level` = by the name of an effort, `none` = never.
    * `tool_schema` (`gemini`): `subset` = schemas of tools are written in the OpenAPI subset, not as JSON schemas.
    * `json_schema_with_tools` (`gemini`): a form of the answer may be asked for beside tools; else it is asked for in words.
    * `media_in_tool_results` (`chat`, `gemini`): pictures and files may stand inside the result of a tool; else they follow it.
    * `late_system` (`messages`): system messages may stand between others; else all go to the front.
    * `betas` (`messages`): the experiments of `anthropic-beta` that it takes, with its own word for each, empty = the same; `*` = all
    others too.
    * `cache_marks` (`messages`, `converse`): `plain` = without time to live, `none` = not sent.
    * `path`, `stream_path`: what follows the base URL in place of the dialect's own path, `{model}` for the upstream's model (`messages` at
    Vertex); `stream_path` is for streams and empty where both are the same.
    * `max_messages`: messages of one request at most, beside those of the system; 0 = any number (contract 4.2, context compression).
    * `operations`: what is special about other operations, by their names.
    """

    max_tokens_key: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    system_role: Literal["system", "developer"] = "system"
    merge_system: bool = False
    reasoning_out: ReasoningOut = "none"
    reasoning_in: ReasoningIn = "drop"
    reasoning_effort_key: str = "reasoning_effort"
    native_reasoning: bool = False
    effort_map: dict[str, str] = {}
    drop: tuple[str, ...] = ()
    rename: dict[str, str] = {}
    set: dict[str, object] = {}
    stream_usage: StreamUsage = "on_request"
    usage_path: str = "usage"
    tool_choice_map: dict[str, str] = {}
    tool_id_length: int = 0
    tools: Tools = "native"
    json_schema: Literal["native", "object", "tool", "none"] = "native"
    reasoning_outside_completion: bool = False
    cache_hit_key: str = ""
    reasoning_formats: tuple[str, ...] = ()
    thinking: Literal["budget", "either", "adaptive", "level", "none"] = "budget"
    late_system: bool = False
    betas: dict[str, str] = {}
    cache_marks: Literal["ttl", "plain", "none"] = "ttl"
    path: str = ""
    stream_path: str = ""
    tool_schema: Literal["native", "subset"] = "native"
    json_schema_with_tools: bool = True
    media_in_tool_results: bool = False
    max_messages: int = 0
    operations: dict[str, OperationQuirks] = {}
