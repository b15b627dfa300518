"""Usage in normal form, from whatever an upstream calls its tokens.

How a dialect names its counts is a table of dotted paths; a further dialect is a further table. The usual shape takes the short way of
`typed_usage`, with the same result.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from trunkline.metering.typed_usage import MAX_COUNT, read_typed, upstream_cost
from trunkline.protocol.catalogue import Dialect
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.usage import Usage

Tree = dict[str, "str | Tree"]


class UsageTable(Struct, frozen=True):
    """Where a dialect keeps its counts. `paths` leads from dotted paths to fields of `Usage`, the first that holds a count wins.

    `input_extra` and `output_extra` name fields that the upstream's totals do not include; a name that begins with `_` serves only them.
    """

    tree: Tree
    input_extra: tuple[str, ...] = ()
    output_extra: tuple[str, ...] = ()


def table(paths: Mapping[str, str], *, input_extra: tuple[str, ...] = (), output_extra: tuple[str, ...] = ()) -> UsageTable:
    """A table from dotted paths (`prompt_tokens_details.cached_tokens`) to the fields of `Usage` they fill."""
    tree: Tree = {}
    for path, name in paths.items():
        *parents, leaf = path.split(".")
        node = tree
        for parent in parents:
            child = node.setdefault(parent, {})
            if isinstance(child, str):
                raise ValueError(f"{path!r} runs through a count")
            node = child
        node[leaf] = name
    return UsageTable(tree=tree, input_extra=input_extra, output_extra=output_extra)


_CHAT_PATHS: Final = {
    "prompt_tokens": "input_total",
    "completion_tokens": "output_total",
    "prompt_tokens_details.cached_tokens": "cache_read",
    "prompt_tokens_details.cache_write_tokens": "cache_write_5m",
    "prompt_tokens_details.audio_tokens": "input_audio",
    "prompt_tokens_details.image_tokens": "input_image",
    "prompt_tokens_details.video_tokens": "input_video",
    "completion_tokens_details.reasoning_tokens": "reasoning",
    "completion_tokens_details.audio_tokens": "output_audio",
    "completion_tokens_details.image_tokens": "output_image",
    "completion_tokens_details.accepted_prediction_tokens": "accepted_prediction",
    "completion_tokens_details.rejected_prediction_tokens": "rejected_prediction",
    "num_cached_tokens": "cache_read",
    "reasoning_tokens": "reasoning",
    "num_search_queries": "web_searches",
    "server_tool_use_details.web_search_requests": "web_searches",
}
CHAT: Final = table(_CHAT_PATHS)
"""OpenAI's names, and what the servers that follow it add at the top level."""
CHAT_REASONING_OUTSIDE: Final = table(_CHAT_PATHS, output_extra=("reasoning",))


RESPONSES: Final = table(
    {
        "input_tokens": "input_total",
        "output_tokens": "output_total",
        "input_tokens_details.cached_tokens": "cache_read",
        "input_tokens_details.cache_write_tokens": "cache_write_5m",
        "output_tokens_details.reasoning_tokens": "reasoning",
        "server_tool_use_details.web_search_requests": "web_searches",
    }
)
MESSAGES: Final = table(
    {
        "input_tokens": "input_total",
        "output_tokens": "output_total",
        "cache_read_input_tokens": "cache_read",
        "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
        "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
        "cache_creation_input_tokens": "cache_write_5m",
        "output_tokens_details.thinking_tokens": "reasoning",
        "server_tool_use.web_search_requests": "web_searches",
    },
    input_extra=("cache_read", "cache_write_5m", "cache_write_1h"),
)
"""Anthropic's `input_tokens` leaves out what the cache read and wrote."""
CONVERSE: Final = table(
    {
        "inputTokens": "input_total",
        "outputTokens": "output_total",
        "cacheReadInputTokens": "cache_read",
        "cacheDetails.1h": "cache_write_1h",
        "cacheDetails.5m": "cache_write_5m",
        "cacheWriteInputTokens": "cache_write_5m",
    },
    input_extra=("cache_read", "cache_write_5m", "cache_write_1h"),
)
GEMINI: Final = table(
    {
        "promptTokenCount": "input_total",
        "toolUsePromptTokenCount": "_tool_prompt",
        "candidatesTokenCount": "output_total",
        "thoughtsTokenCount": "reasoning",
        "cachedContentTokenCount": "cache_read",
        "webSearchQueries": "web_searches",
        "promptTokensDetails.AUDIO": "input_audio",
        "promptTokensDetails.IMAGE": "input_image",
        "promptTokensDetails.VIDEO": "input_video",
        "candidatesTokensDetails.AUDIO": "output_audio",
        "candidatesTokensDetails.IMAGE": "output_image",
    },
    input_extra=("_tool_prompt",),
    output_extra=("reasoning",),
)
COHERE: Final = table(
    {
        "billed_units.input_tokens": "input_total",
        "billed_units.output_tokens": "output_total",
        "tokens.input_tokens": "input_total",
        "tokens.output_tokens": "output_total",
        "cached_tokens": "cache_read",
    }
)
"""Cohere charges billed units, which leave out its own prompt; its token counts stand in where those are missing."""

OTHERS: Final[Mapping[str, UsageTable]] = {
    "responses": RESPONSES,
    "messages": MESSAGES,
    "converse": CONVERSE,
    "gemini": GEMINI,
    "cohere": COHERE,
}
"""The tables of the dialects beside chat (adapters 5.1)."""
OUTPUT_AT_END: Final = frozenset(("messages",))
"""Dialects that count output when an answer ends; the number at its start is a placeholder (adapters 5.3)."""


def normalise(raw: Mapping[str, object], quirks: Quirks, dialect: Dialect = "chat") -> Usage:
    """An upstream's usage object in normal form. Never raises: what is no count is missing, and what contradicts itself is clamped."""
    if dialect != "chat":
        return build(read_counts(raw, OTHERS[dialect]), upstream_cost(raw.get("cost")))
    if not quirks.reasoning_outside_completion and not quirks.cache_hit_key:
        usage = read_typed(raw)
        if usage is not None:
            return usage
    return _walked(raw, quirks)


def _walked(raw: Mapping[str, object], quirks: Quirks) -> Usage:
    counts = read_counts(raw, CHAT_REASONING_OUTSIDE if quirks.reasoning_outside_completion else CHAT)
    if quirks.cache_hit_key and "cache_read" not in counts:
        cached = _count(raw.get(quirks.cache_hit_key))
        if cached is not None:
            counts["cache_read"] = cached
    return build(counts, upstream_cost(raw.get("cost")))


def read_counts(raw: Mapping[str, object], rules: UsageTable) -> dict[str, int]:
    """The counts that `raw` holds, by field of `Usage`, with totals that include all of their parts."""
    counts: dict[str, int] = {}
    _walk(raw, rules.tree, counts)
    for name in rules.input_extra:
        counts["input_total"] = counts.get("input_total", 0) + counts.get(name, 0)
    for name in rules.output_extra:
        counts["output_total"] = counts.get("output_total", 0) + counts.get(name, 0)
    return {name: count for name, count in counts.items() if name[0] != "_"}


def _walk(raw: Mapping[str, object], tree: Tree, counts: dict[str, int]) -> None:
    for key, rule in tree.items():
        value = raw.get(key)
        if value is None:
            continue
        if type(rule) is str:
            if rule not in counts:
                count = value if type(value) is int and 0 <= value <= MAX_COUNT else _count(value)
                if count is not None:
                    counts[rule] = count
        else:
            _walk(value if isinstance(value, dict) else _keyed(value), rule, counts)  # type: ignore[arg-type]


def _keyed(value: object) -> dict[str, object]:
    """A list of counts by modality (Gemini) or lifetime (Converse) as an object."""
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    return {str(item.get("modality") or item.get("ttl")): item.get("tokenCount", item.get("inputTokens")) for item in items}


def _count(value: object) -> int | None:
    """`value` as a count within bounds, None when it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return int(min(max(value, 0), MAX_COUNT))


_INPUT_PARTS: Final = ("cache_read", "cache_write_5m", "cache_write_1h")
_INPUT_MODALITIES: Final = ("input_audio", "input_image", "input_video")
_OUTPUT_PARTS: Final = ("reasoning",)
_OUTPUT_MODALITIES: Final = ("output_audio", "output_image")


def build(counts: dict[str, int], charged: int | None = None) -> Usage:
    """A `Usage` that holds its invariants. The parts of one kind (cache, modality) together do not exceed their total either."""
    input_total = counts["input_total"] = min(counts.get("input_total", 0), MAX_COUNT)
    output_total = counts["output_total"] = min(counts.get("output_total", 0), MAX_COUNT)
    if len(counts) > 2:
        _clamp(counts, _INPUT_PARTS, input_total)
        _clamp(counts, _INPUT_MODALITIES, input_total)
        _clamp(counts, _OUTPUT_PARTS, output_total)
        _clamp(counts, _OUTPUT_MODALITIES, output_total)
    return Usage(upstream_cost=charged, **counts)  # type: ignore[arg-type]  # `source` is no count


def _clamp(counts: dict[str, int], names: tuple[str, ...], room: int) -> None:
    for name in names:
        if name in counts:
            counts[name] = min(counts[name], room)
            room -= counts[name]
