"""In which order endpoints are tried (contract 3.2 and 3.4): each gets a `Rank`, a row of numbers of which the first that differs decides.

The caller's own order stands above uptime and outages, and below only what makes an attempt hopeless or what the caller itself asked to
demote. Without order and sort the first endpoint is drawn by weight.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from math import inf

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import HealthSnapshot
from trunkline.protocol.routing import Preferences, Rank, RequestFacts, Sort
from trunkline.routing import quality
from trunkline.routing.slugs import positions, tier_of
from trunkline.routing.standings import DEGRADED, Entries, demotions, entries_of, shortfalls, waits
from trunkline.routing.tiers import FAST, sort_of

COLUMNS = ("wait", "shortfall", "credential", "sticky", "order", "service_tier", "exacto", "health", "drawn", "metric", "price")
"""What decides, in this order. `wait`: seconds until it is worth trying. `shortfall`: it misses a preferred throughput or latency.
`credential`: 0 the caller's own key, 1 the instance's, 2 the caller's key for fallback. `sticky`: 0 = it served this conversation before.
`order`: the place in `provider.order`. `service_tier`: 0 = of the tier asked for. `exacto`, `health`: see `quality` and `standings`.
`drawn`: 0 = the weighted draw. `metric`: what is sorted by, smaller being better. `price`: prompt plus completion, pico-dollars."""

ACROSS_MODELS = 2
"""So many columns compare endpoints of different models too; by the others a model's endpoints stay together."""
_DRAWN = COLUMNS.index("drawn")
_CREDENTIAL = COLUMNS.index("credential")
_SHARED = 1
LEAST_HEADROOM = 0.01
"""An endpoint whose rate limit is used up stays a hundredth as likely as before: the count may be stale, and a cool-down says it better."""


def price_of(endpoint: Endpoint) -> int:
    """The price by which endpoints are compared: a prompt token and a completion token, in pico-dollars."""
    return endpoint.pricing.prompt + endpoint.pricing.completion


def arrange(
    endpoints: Sequence[Endpoint],
    facts: RequestFacts,
    health: HealthSnapshot,
    preferences: Preferences,
    variants: Sequence[str],
    seed: float,
) -> list[tuple[Rank, Endpoint]]:
    """The endpoints in the order in which they are tried, each with its rank. `seed` is a random number in [0, 1)."""
    entries = entries_of(endpoints, health)
    sort = sort_of(endpoints, facts, preferences, variants)
    ranks = _ranks(endpoints, entries, facts, health, preferences, sort)
    placed = sorted(range(len(endpoints)), key=ranks.__getitem__)
    if sort is None and not preferences.order:
        _put_drawn_first(placed, ranks, entries, seed)
    return [(ranks[index], endpoints[index]) for index in placed]


def _ranks(
    endpoints: Sequence[Endpoint],
    entries: Entries,
    facts: RequestFacts,
    health: HealthSnapshot,
    preferences: Preferences,
    sort: Sort | None,
) -> list[Rank]:
    zeros = [0] * len(endpoints)
    ordered = bool(preferences.order)
    demoted = demotions(entries) if health.endpoints else zeros
    prices = [one.pricing.prompt + one.pricing.completion for one in endpoints]
    judged = sort == "exacto" or (sort is None and "tools" in facts.parameters)
    return list(
        zip(
            waits(endpoints, entries, health) if health.endpoints or health.cooldowns else zeros,
            zeros if preferences.min_throughput is preferences.max_latency is None else shortfalls(entries, preferences),
            [_SHARED if not one.byok else 2 if one.byok_fallback else 0 for one in endpoints],
            _not_sticky(endpoints, demoted, facts.sticky) if facts.sticky and not ordered else zeros,
            positions(preferences.order, endpoints) if ordered else zeros,
            [tier_of(one) not in FAST for one in endpoints] if facts.service_tier in FAST else zeros,
            quality.tiers(endpoints, entries) if judged and not ordered and health.endpoints else zeros,
            demoted,
            [1] * len(endpoints),
            prices if sort is None or sort == "price" else _metric(entries, sort),
            prices,
            strict=True,
        )
    )


def _not_sticky(endpoints: Sequence[Endpoint], demoted: Sequence[int], sticky: str) -> list[bool]:
    """0 for the endpoint that served the conversation before, while it is well and its cache makes a prompt cheaper (contract 3.8)."""
    return [one.id != sticky or bad > DEGRADED or not cache_saves(one) for one, bad in zip(endpoints, demoted, strict=True)]


def cache_saves(endpoint: Endpoint) -> bool:
    """Whether a prompt that is in the endpoint's cache costs less than one that is not."""
    read = endpoint.pricing.input_cache_read
    return read is not None and read < endpoint.pricing.prompt


def _metric(entries: Entries, sort: Sort) -> list[float]:
    """What is sorted by, smaller being better; what nobody has measured comes last."""
    if sort == "latency":
        return [inf if one.latency is None else one.latency.p50 for one in entries]
    if sort == "throughput":
        return [inf if one.throughput is None else -one.throughput.p50 for one in entries]
    return [inf if one.tool_success is None else -one.tool_success for one in entries]


def _put_drawn_first(placed: list[int], ranks: list[Rank], entries: Entries, seed: float) -> None:
    """Draw one of the best endpoints of the instance's own capacity, all alike but for the price. The caller's keys are never drawn:
    they have an order."""
    start = next((at for at, index in enumerate(placed) if ranks[index][_CREDENTIAL] == _SHARED), len(placed))
    if start + 1 >= len(placed):
        return
    best = ranks[placed[start]][:_DRAWN]
    end = bisect_right(placed, best, lo=start, key=lambda index: ranks[index][:_DRAWN])
    if end < start + 2 or best[0]:
        return
    alike = placed[start:end]
    drawn = alike[
        _draw(
            [ranks[index][-1] for index in alike],
            [left if (left := entries[index].headroom) > LEAST_HEADROOM else LEAST_HEADROOM for index in alike],
            seed,
        )
    ]
    placed.remove(drawn)
    placed.insert(start, drawn)
    ranks[drawn] = (*best, 0, *ranks[drawn][_DRAWN + 1 :])


def _draw(prices: Sequence[float], headrooms: Sequence[float], seed: float) -> int:
    """An index with weight 1/price², times what is left of the endpoint's rate limit. `prices` ascend; free ones are infinitely likelier
    than others."""
    lowest = prices[0]
    if lowest:
        weights = [(share := lowest / price) * share * left for price, left in zip(prices, headrooms, strict=True)]
    else:
        weights = [left for price, left in zip(prices, headrooms, strict=True) if not price]
    sums = list(accumulate(weights))
    return min(bisect_right(sums, seed * sums[-1]), len(sums) - 1)
