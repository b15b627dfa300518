"""How an endpoint differs from its dialect, as data: one flag for each difference that was seen at a real provider.

`providers/data/*.toml` sets them for a provider, `trunkline.toml` for an endpoint; `dialects` reads them and knows no vendor.
"""

from typing import Literal

from msgspec import Struct

ReasoningOut = Literal["none", "reasoning", "reasoning_content", "tags", "chunks"]
ReasoningIn = Literal["keep", "reasoning_content", "drop"]
StreamUsage = Literal["on_request", "always", "never"]
Tools = Literal["native", "schema", "none"]


class Quirks(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """The deviations of one endpoint from its dialect. The defaults are a plain OpenAI-compatible `chat` server.

    * `max_tokens_key`: the name under which the output limit is sent.
    * `system_role`: the role of system messages (`developer` at OpenAI's reasoning models); `merge_system`: at most one, at the front.
    * `reasoning_out`: where the upstream puts reasoning: a field of that name, `<think>` tags in the content, or content chunks of type
    thinking.
    * `reasoning_in`: what becomes of reasoning in the history: `keep` our fields, send as `reasoning_content`, or `drop`.
    * `reasoning_effort_key`: the upstream's own name for the effort, empty where it has none.
    * `effort_map`: the upstream's words for our efforts (`minimal` -> `low`); an empty word = that effort is not sent.
    * `drop`, `rename`, `set`: top-level keys removed, renamed (`rename` runs after `drop`), or always set to a JSON value.
    * `stream_usage`: usage comes when asked by `stream_options`, always, or never; `usage_path`: where (`x_groq.usage`).
    * `tool_choice_map`: the upstream's words for ours (`required` -> `any`); `tool_id_length`: exact length of alphanumeric call ids, 0 =
    free.
    * `tools`: `schema` = a forced call is asked for as a JSON schema and wrapped into a tool call; `none` = never sent.
    * `json_schema`: `object` = a schema is sent as `json_object`, `none` = response_format is not sent.
    * `reasoning_outside_completion`: reasoning tokens are not inside completion_tokens and must be added.
    * `cache_hit_key`: a top-level usage key for cached tokens, where it is not `prompt_tokens_details.cached_tokens`.
    * `native_reasoning`: the upstream understands OpenRouter's `reasoning` object itself.
    * `reasoning_formats`: whose signatures and encrypted reasoning it accepts (`format` of contract 2.7); empty = its dialect's own.
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
    json_schema: Literal["native", "object", "none"] = "native"
    reasoning_outside_completion: bool = False
    cache_hit_key: str = ""
    reasoning_formats: tuple[str, ...] = ()
