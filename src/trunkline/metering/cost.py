"""What a generation costs: pure integer arithmetic in pico-dollars over a `Usage` and a `Pricing`.

Each token is priced once: a token from or into the cache at its cache rate, else one of a modality at that rate, else at the plain rate.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from trunkline.protocol.catalogue import PriceOverride, Pricing
from trunkline.protocol.usage import Cost, Usage

MAX_COST: Final = 10**18
"""A million dollars a generation: a bound that keeps any sum of costs within a 64-bit column."""

FREE: Final = Cost()
Parts = Sequence[tuple[int | None, int | None]]
"""(tokens, rate) of each part of a total, in the order in which parts are taken."""
_RATES: Final = tuple(name for name in Pricing.__struct_fields__ if name != "overrides")
_LONG_CACHE_WRITE_FACTOR: Final = 2
"""A cache write that lives an hour costs twice the prompt price where no rate is named (Anthropic, "Prompt caching")."""


def price(usage: Usage, pricing: Pricing, *, utc_hhmm: int = 0) -> Cost:
    """The cost of a generation that began at `utc_hhmm` (e.g. 1435 for 14:35 UTC).

    `prompt` and `completion` hold the cost of tokens; `total` adds the fixed price a request and web searches. Never negative, and never
    above MAX_COST.
    """
    rates = rates_of(pricing, usage.input_total, utc_hhmm=utc_hhmm) if pricing.overrides else pricing
    prompt, completion = _input_cost(usage, rates), _output_cost(usage, rates)
    if prompt > MAX_COST:
        prompt = MAX_COST
    if completion > MAX_COST:
        completion = MAX_COST
    total = prompt + completion + rates.request
    if usage.web_searches and rates.web_search:
        total += usage.web_searches * rates.web_search
    return Cost(total if total < MAX_COST else MAX_COST, prompt, completion)


def estimate(pricing: Pricing, prompt_tokens: int, output_tokens: int) -> int:
    """Pico-dollars to reserve for a request of about this size: no cache hits, and the dearer side of every time window."""
    rates = dearest_rates(pricing, prompt_tokens) if pricing.overrides else pricing
    return min(prompt_tokens * rates.prompt + output_tokens * rates.completion + rates.request, MAX_COST)


def insure(cost: Cost, *, output_tokens: int, finish_reason: str | None) -> Cost:
    """Zero-completion insurance (contract 4.4): tokens are free when nothing came and no reason was given, or when that is `error`."""
    if finish_reason == "error" or (not output_tokens and not finish_reason):
        return Cost(total=max(cost.total - cost.prompt - cost.completion, 0))
    return cost


def own_key(cost: Cost) -> Cost:
    """What a generation on the caller's own credential costs the caller here: nothing. The parts still say what its tokens cost at the
    upstream (contract 3.11; an instance takes no fee)."""
    return Cost(0, cost.prompt, cost.completion, own_key=True)


def cache_discount(usage: Usage, pricing: Pricing, *, utc_hhmm: int = 0) -> int | None:
    """Pico-dollars that the prompt cache saved: positive for reads, negative for writes, None when the upstream said nothing of a cache."""
    if not (usage.cache_read or usage.cache_write_5m or usage.cache_write_1h):
        return None if usage.cache_read is usage.cache_write_5m is usage.cache_write_1h is None else 0
    rates = rates_of(pricing, usage.input_total, utc_hhmm=utc_hhmm) if pricing.overrides else pricing
    uncached = _shared_cost(usage.input_total, rates.prompt, _modalities(usage, rates))
    return min(uncached, MAX_COST) - min(_input_cost(usage, rates), MAX_COST)


def rates_of(pricing: Pricing, prompt_tokens: int, *, utc_hhmm: int) -> Pricing:
    """The rates in force: the base, and over it each override whose conditions all hold; the later wins for each key (contract 5.13)."""
    changes: dict[str, int] = {}
    for override in pricing.overrides:
        if _is_long(override, prompt_tokens) and _is_open(override, utc_hhmm):
            changes.update(override.rates)
    return _changed(pricing, changes)


def dearest_rates(pricing: Pricing, prompt_tokens: int) -> Pricing:
    """The highest rates that a prompt of this length can meet at any time of the day."""
    moments = {0, *_edges(pricing.overrides)}
    candidates = [rates_of(pricing, prompt_tokens, utc_hhmm=moment) for moment in moments]
    return max(candidates, key=lambda rates: (rates.prompt + rates.completion, rates.request))


def _edges(overrides: Sequence[PriceOverride]) -> list[int]:
    return [edge for override in overrides for edge in (override.utc_start, override.utc_end) if edge is not None]


def _changed(pricing: Pricing, changes: dict[str, int]) -> Pricing:
    known = {name: rate for name, rate in changes.items() if name in _RATES}
    return structs.replace(pricing, **known) if known else pricing


def _is_long(override: PriceOverride, prompt_tokens: int) -> bool:
    return override.min_prompt_tokens is None or prompt_tokens > override.min_prompt_tokens


def _is_open(override: PriceOverride, utc_hhmm: int) -> bool:
    start, end = override.utc_start, override.utc_end
    if start is None and end is None:
        return True
    start, end = start or 0, 2400 if end is None else end
    if start <= end:
        return start <= utc_hhmm < end
    return utc_hhmm >= start or utc_hhmm < end


def _input_cost(usage: Usage, rates: Pricing) -> int:
    total, prompt = usage.input_total, rates.prompt
    if not (usage.cache_read or usage.cache_write_5m or usage.cache_write_1h or usage.input_audio or usage.input_image):
        return total * prompt
    long_write = rates.input_cache_write_1h
    cached = (
        (usage.cache_read, rates.input_cache_read),
        (usage.cache_write_5m, rates.input_cache_write),
        (usage.cache_write_1h, _LONG_CACHE_WRITE_FACTOR * prompt if long_write is None else long_write),
    )
    return _shared_cost(total, prompt, (*cached, *_modalities(usage, rates)))


def _modalities(usage: Usage, rates: Pricing) -> Parts:
    return (usage.input_audio, rates.audio), (usage.input_image, rates.image)


def _output_cost(usage: Usage, rates: Pricing) -> int:
    total, completion = usage.output_total, rates.completion
    if not (usage.output_audio or usage.output_image or (usage.reasoning and rates.internal_reasoning is not None)):
        return total * completion
    parts = (
        (usage.output_audio, rates.audio_output),
        (usage.output_image, rates.image_output),
        (usage.reasoning, rates.internal_reasoning),
    )
    return _shared_cost(total, completion, parts)


def _shared_cost(total: int, plain: int, parts: Parts) -> int:
    """The cost of `total` tokens: each part at its own rate or, where it has none, the plain one; parts never take more than there is."""
    cost = 0
    room = total
    for tokens, rate in parts:
        if tokens and rate is not None:
            taken = tokens if tokens < room else room
            room -= taken
            cost += taken * rate
    return cost + room * plain
