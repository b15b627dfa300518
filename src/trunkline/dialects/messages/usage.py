"""The `usage` object of Messages (contract 2.4, 5.2): Anthropic's names, in which `input_tokens` leaves out what the cache gave or took,
and OpenRouter's additions."""

from msgspec import UNSET, Struct, UnsetType

from trunkline.protocol.money import usd
from trunkline.protocol.usage import Cost, Usage

_STANDARD = (None, "", "default", "auto", "standard_only")


class CacheCreation(Struct, frozen=True, gc=False):
    """Tokens written to the cache, by time to live."""

    ephemeral_5m_input_tokens: int = 0
    ephemeral_1h_input_tokens: int = 0


class OutputDetails(Struct, frozen=True, gc=False):
    """Parts of the answer."""

    thinking_tokens: int


class ServerTools(Struct, frozen=True, gc=False):
    """What the upstream did beside inference."""

    web_search_requests: int
    web_fetch_requests: int = 0


class CostDetails(Struct, frozen=True, gc=False):
    """USD, as in the chat dialect."""

    upstream_inference_cost: float
    upstream_inference_prompt_cost: float
    upstream_inference_completions_cost: float


class UsageView(Struct, frozen=True, gc=False):
    """The `usage` object; money in USD. The defaults are the placeholders of `message_start`."""

    input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation: CacheCreation = CacheCreation()
    output_tokens: int = 0
    output_tokens_details: OutputDetails | None = None
    server_tool_use: ServerTools | None = None
    inference_geo: str | None = None
    service_tier: str = "standard"
    cost: float | UnsetType = UNSET
    is_byok: bool | UnsetType = UNSET
    cost_details: CostDetails | UnsetType = UNSET


def usage_view(usage: Usage, cost: Cost, *, service_tier: str | None = None) -> UsageView:
    """`usage` and its `cost` as callers see them; encode it with msgspec."""
    read = usage.cache_read or 0
    short, long = usage.cache_write_5m or 0, usage.cache_write_1h or 0
    return UsageView(
        input_tokens=max(usage.input_total - read - short - long, 0),
        cache_creation_input_tokens=short + long,
        cache_read_input_tokens=read,
        cache_creation=CacheCreation(short, long),
        output_tokens=usage.output_total,
        output_tokens_details=None if usage.reasoning is None else OutputDetails(usage.reasoning),
        server_tool_use=ServerTools(usage.web_searches) if usage.web_searches else None,
        service_tier="standard" if service_tier in _STANDARD else str(service_tier),
        is_byok=cost.own_key,
        **money(usage, cost),  # type: ignore[arg-type]
    )


def money(usage: Usage, cost: Cost) -> dict[str, object]:
    """`cost` and `cost_details`."""
    upstream, prompt, completion = usage.upstream_cost, cost.prompt, cost.completion
    details = CostDetails(usd(prompt + completion if upstream is None else upstream), usd(prompt), usd(completion))
    return {"cost": usd(cost.total), "cost_details": details}
