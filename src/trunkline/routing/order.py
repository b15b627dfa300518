"""In which order endpoints are tried (contract 3.2 and 3.4): each gets a `Rank`, a row of numbers of which the first that differs decides.

The caller's own order stands above uptime and outages, and below only what makes an attempt hopeless or what the caller itself asked to
demote. Without order and sort the first endpoint is drawn by weight.
"""

from bisect import bisect_right
from collections.abc import Sequence
from functools import partial
from math import inf

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import HealthSnapshot
from trunkline.protocol.routing import Preferences, Rank, RequestFacts, Sort
from trunkline.routing.boards import SHARED, Arrangement, Board, Boards, Order, Pair, Wish
from trunkline.routing.slugs import positions, tier_of
from trunkline.routing.standings import DEGRADED, Entries, entries_of, shortfalls, waits
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
    boards: Boards | None = None,
) -> Order:
    """The endpoints in the order in which they are tried, with their ranks. `seed` is a random number in [0, 1); `boards` remember what
    requests have in common."""
    board = Board(endpoints, entries_of(endpoints, health)) if boards is None else boards.of(endpoints, health)
    sort = sort_of(endpoints, facts, preferences, variants)
    judged = sort == "exacto" or (sort is None and "tools" in facts.parameters)
    sticky = facts.sticky if facts.sticky and facts.sticky in board.ids else ""
    wish = (sort, judged, sticky, facts.service_tier in FAST, preferences.min_throughput, preferences.max_latency)
    make = partial(_arranged, board, wish, health, preferences.order)
    found = make() if board.may_wait or preferences.order or board.cools(health.cooldowns) else board.arrangement(wish, make)
    return found.order(seed)


def _arranged(board: Board, wish: Wish, health: HealthSnapshot, order: Sequence[str]) -> Arrangement:
    """The order, and what is drawn of it where the caller has neither order nor sort."""
    ranks = _ranks(board, wish, health, order)
    placed = sorted(range(len(ranks)), key=ranks.__getitem__)
    pairs = [(ranks[index], board.endpoints[index]) for index in placed]
    return Arrangement(pairs) if wish[0] is not None or order else _with_draw(pairs, [board.entries[index] for index in placed])


def _ranks(board: Board, wish: Wish, health: HealthSnapshot, order: Sequence[str]) -> list[Rank]:
    sort, judged, sticky, fast, slow, late = wish
    endpoints, entries, zeros = board.endpoints, board.entries, board.zeros
    return list(
        zip(
            waits(endpoints, entries, health) if board.may_wait or board.cools(health.cooldowns) else zeros,
            zeros if slow is late is None else shortfalls(entries, slow, late),
            board.credentials,
            _not_sticky(endpoints, board.demotions, sticky) if sticky and not order else zeros,
            positions(order, endpoints) if order else zeros,
            [tier_of(one.tag) not in FAST for one in endpoints] if fast else zeros,
            board.exacto if judged and not order else zeros,
            board.demotions,
            [1] * len(endpoints),
            board.prices if sort is None or sort == "price" else _metric(entries, sort),
            board.prices,
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


def _with_draw(pairs: Sequence[Pair], entries: Entries) -> Arrangement:
    """One of the best endpoints of the instance's own capacity is drawn, all alike but for the price. The caller's keys never are: they
    have an order. `entries` as `pairs`."""
    start = 0
    while start < len(pairs) and pairs[start][0][_CREDENTIAL] != SHARED:
        start += 1
    best = pairs[start][0][:_DRAWN] if start < len(pairs) else ()
    end = bisect_right(pairs, best, lo=start, key=lambda pair: pair[0][:_DRAWN])
    if end < start + 2 or best[0]:
        return Arrangement(pairs)
    sums = _sums([rank[-1] for rank, _ in pairs[start:end]], entries[start:end])
    drawn = [((*best, 0, *rank[_DRAWN + 1 :]), one) for rank, one in pairs[start : start + len(sums)]]
    return Arrangement(pairs, start, drawn, sums)


def _sums(prices: Sequence[float], entries: Entries) -> list[float]:
    """The running sums of 1/price², times what is left of each endpoint's rate limit. `prices` ascend; where some are free, only those
    count, being infinitely likelier than others."""
    lowest = prices[0]
    total, sums = 0.0, []
    for price, entry in zip(prices, entries, strict=True):
        if price and not lowest:
            break
        share = lowest / price if price else 1.0
        total += share * share * (entry.headroom if entry.headroom > LEAST_HEADROOM else LEAST_HEADROOM)
        sums.append(total)
    return sums
