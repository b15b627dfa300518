"""The usage object of a chat upstream, read in one typed step: the fast way for what nearly all upstreams send.

What does not fit (a count that is no number, parts that exceed their total) is left to the tolerant walk of `usage`, which gives the
same `Usage` for all that fits.
"""

from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import Meta, Struct, ValidationError, convert

from trunkline.protocol.money import MAX_USD, round_usd
from trunkline.protocol.usage import Usage

MAX_COUNT: Final = 2**31 - 1
"""No count is larger: a bound against nonsense from an upstream, far above any context window, that keeps sums of money within 64 bits."""

Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)] | None


class _Prompt(Struct):
    cached_tokens: Count = None
    cache_write_tokens: Count = None
    audio_tokens: Count = None
    image_tokens: Count = None
    video_tokens: Count = None

    def fits(self, total: int) -> bool:
        """Whether neither the parts of the cache nor the modalities exceed `total`."""
        return (self.cached_tokens or 0) + (self.cache_write_tokens or 0) <= total and (self.audio_tokens or 0) + (
            self.image_tokens or 0
        ) + (self.video_tokens or 0) <= total


class _Completion(Struct):
    reasoning_tokens: Count = None
    audio_tokens: Count = None
    image_tokens: Count = None
    accepted_prediction_tokens: Count = None
    rejected_prediction_tokens: Count = None

    def fits(self, total: int) -> bool:
        """Whether neither reasoning nor the modalities exceed `total`."""
        return (self.reasoning_tokens or 0) <= total and (self.audio_tokens or 0) + (self.image_tokens or 0) <= total


class _Chat(Struct):
    """OpenAI's usage object. The object-typed keys are those of other servers, which only the walk knows how to read."""

    prompt_tokens: Count = None
    completion_tokens: Count = None
    prompt_tokens_details: _Prompt | None = None
    completion_tokens_details: _Completion | None = None
    num_cached_tokens: object = None
    reasoning_tokens: object = None
    num_search_queries: object = None
    server_tool_use_details: object = None
    cost: object = None

    @property
    def has_others(self) -> bool:
        """Whether a key is there that OpenAI's object does not have."""
        return not (
            self.num_cached_tokens is None
            and self.reasoning_tokens is None
            and self.num_search_queries is None
            and self.server_tool_use_details is None
        )


_NO_PROMPT: Final = _Prompt()
_NO_COMPLETION: Final = _Completion()


def read_typed(raw: Mapping[str, object]) -> Usage | None:
    """`raw` in normal form; None when it is not of OpenAI's shape or contradicts itself."""
    try:
        chat = convert(raw, _Chat)
    except ValidationError:
        return None
    input_total, output_total = chat.prompt_tokens or 0, chat.completion_tokens or 0
    prompt, completion = chat.prompt_tokens_details or _NO_PROMPT, chat.completion_tokens_details or _NO_COMPLETION
    if chat.has_others or not prompt.fits(input_total) or not completion.fits(output_total):
        return None
    cost = None if chat.cost is None else upstream_cost(chat.cost)
    if prompt is _NO_PROMPT and completion is _NO_COMPLETION:
        return Usage(input_total, output_total, upstream_cost=cost)
    return Usage(
        input_total,
        output_total,
        prompt.cached_tokens,
        prompt.cache_write_tokens,
        None,
        prompt.audio_tokens,
        prompt.image_tokens,
        prompt.video_tokens,
        completion.reasoning_tokens,
        completion.audio_tokens,
        completion.image_tokens,
        completion.accepted_prediction_tokens,
        completion.rejected_prediction_tokens,
        0,
        cost,
    )


def upstream_cost(value: object) -> int | None:
    """Pico-dollars of the USD that an upstream says it charged; None when that is no sensible amount."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_USD:
        return None
    return round_usd(value)
