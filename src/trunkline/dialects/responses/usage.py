"""The `usage` object of this dialect (contract 2.4): OpenAI's names with OpenRouter's money, from usage in normal form."""

from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from trunkline.protocol.money import usd
from trunkline.protocol.usage import Cost, Usage

_ENCODE: Final = msgspec.json.Encoder().encode


class InputDetails(Struct, frozen=True, gc=False):
    """Parts of the input, 0 where the upstream did not say."""

    cached_tokens: int
    cache_write_tokens: int


class OutputDetails(Struct, frozen=True, gc=False):
    """Parts of the output, 0 where the upstream did not say."""

    reasoning_tokens: int


class CostDetails(Struct, frozen=True, gc=False):
    """USD. `upstream_inference_cost` is what the upstream charged: its own figure, else what its tokens cost."""

    upstream_inference_cost: float
    upstream_inference_input_cost: float
    upstream_inference_output_cost: float


class ServerTools(Struct, frozen=True, gc=False):
    """What the upstream did beside inference."""

    web_search_requests: int


class UsageView(Struct, frozen=True, gc=False):
    """The `usage` object of a response; money in USD."""

    input_tokens: int
    input_tokens_details: InputDetails
    output_tokens: int
    output_tokens_details: OutputDetails
    total_tokens: int
    cost: float
    is_byok: bool
    cost_details: CostDetails
    server_tool_use_details: ServerTools | UnsetType = UNSET


def usage_view(usage: Usage, cost: Cost) -> UsageView:
    """`usage` and its `cost` as callers see them; encode it with msgspec."""
    upstream = cost.prompt + cost.completion if usage.upstream_cost is None else usage.upstream_cost
    return UsageView(
        usage.input_total,
        InputDetails(usage.cache_read or 0, (usage.cache_write_5m or 0) + (usage.cache_write_1h or 0)),
        usage.output_total,
        OutputDetails(usage.reasoning or 0),
        usage.input_total + usage.output_total,
        usd(cost.total),
        cost.own_key,
        CostDetails(usd(upstream), usd(cost.prompt), usd(cost.completion)),
        ServerTools(usage.web_searches) if usage.web_searches else UNSET,
    )


def usage_json(usage: Usage, cost: Cost) -> bytes:
    """The JSON text of `usage_view`."""
    return _ENCODE(usage_view(usage, cost))
