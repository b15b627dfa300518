"""The `usage` object that callers get (contract 2.4), from usage in normal form."""

from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from trunkline.protocol.money import usd
from trunkline.protocol.usage import Cost, Usage

_ENCODE: Final = msgspec.json.Encoder().encode


class PromptDetails(Struct, frozen=True, gc=False):
    """Parts of the prompt, 0 where the upstream did not say."""

    cached_tokens: int
    cache_write_tokens: int
    audio_tokens: int
    video_tokens: int


class CompletionDetails(Struct, frozen=True, gc=False):
    """Parts of the answer, 0 where the upstream did not say; predictions only where it did."""

    reasoning_tokens: int
    audio_tokens: int
    image_tokens: int
    accepted_prediction_tokens: int | UnsetType = UNSET
    rejected_prediction_tokens: int | UnsetType = UNSET


class CostDetails(Struct, frozen=True, gc=False):
    """USD. `upstream_inference_cost` is what the upstream charged: its own figure, else what its tokens cost."""

    upstream_inference_cost: float
    upstream_inference_prompt_cost: float
    upstream_inference_completions_cost: float


class ServerTools(Struct, frozen=True, gc=False):
    """What the upstream did beside inference."""

    web_search_requests: int


class UsageView(Struct, frozen=True, gc=False):
    """The `usage` object of a chat answer; money in USD."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost: float
    is_byok: bool
    prompt_tokens_details: PromptDetails
    cost_details: CostDetails
    completion_tokens_details: CompletionDetails
    server_tool_use_details: ServerTools | UnsetType = UNSET


def usage_view(usage: Usage, cost: Cost) -> UsageView:
    """`usage` and its `cost` as callers see them; encode it with msgspec."""
    input_total, output_total = usage.input_total, usage.output_total
    upstream, prompt, completion = usage.upstream_cost, cost.prompt, cost.completion
    accepted, rejected = usage.accepted_prediction, usage.rejected_prediction
    return UsageView(
        input_total,
        output_total,
        input_total + output_total,
        usd(cost.total),
        cost.own_key,
        PromptDetails(
            usage.cache_read or 0,
            (usage.cache_write_5m or 0) + (usage.cache_write_1h or 0),
            usage.input_audio or 0,
            usage.input_video or 0,
        ),
        CostDetails(usd(prompt + completion if upstream is None else upstream), usd(prompt), usd(completion)),
        CompletionDetails(
            usage.reasoning or 0,
            usage.output_audio or 0,
            usage.output_image or 0,
            UNSET if accepted is None else accepted,
            UNSET if rejected is None else rejected,
        ),
        ServerTools(usage.web_searches) if usage.web_searches else UNSET,
    )


def usage_json(usage: Usage, cost: Cost) -> bytes:
    """The JSON text of `usage_view`."""
    return _ENCODE(usage_view(usage, cost))
