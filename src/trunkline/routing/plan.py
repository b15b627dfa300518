"""The plan of one request: the endpoints of each model filtered and ordered, and the lists put together."""

from collections.abc import Sequence

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import HealthSnapshot
from trunkline.protocol.routing import Exclusion, Plan, Preferences, Rank, RequestFacts
from trunkline.routing import filters, tiers
from trunkline.routing.boards import Boards, Order, Pair, order_of
from trunkline.routing.order import ACROSS_MODELS, arrange


def make_plan(
    facts: RequestFacts,
    candidates: Sequence[Sequence[Endpoint]],
    health: HealthSnapshot,
    preferences: Preferences,
    seed: float,
    boards: Boards | None = None,
) -> Plan:
    """Plan a request.

    `candidates` holds the endpoints of each model in the caller's order, the copies for the caller's own keys included; all endpoints of
    one model come before those of the next, except with partition `none` (contract 3.5). What is hopeless right now, or misses a
    preferred throughput or latency, goes behind all models. `seed` is a random number in [0, 1). Who makes many plans passes `boards`,
    which remember what they have in common; they change no plan.

    An empty plan tells by `excluded` why. Without fallbacks only the first endpoint, or those the caller listed in `order`, are tried.
    """
    excluded: list[Exclusion] = []
    groups = [_admitted(endpoints, facts, preferences, excluded) for endpoints in candidates]
    if preferences.partition == "none" and len(groups) > 1:
        groups = [[one for group in groups for one in group]]
    groups = [group for group in groups if group]
    if not groups or (len(groups) == 1 and len(groups[0]) == 1):
        return Plan(tuple(groups[0]) if groups else (), tuple(excluded), preferences.allow_fallbacks)
    order = _ordered(groups, facts, health, preferences, seed, boards)
    if not preferences.allow_fallbacks and not preferences.order and len(order.attempts) > 1:
        excluded += [Exclusion(one, "allowed_providers", "allow_fallbacks") for one in order.attempts[1:]]
        order = Order(order.attempts[:1], order.ranks[:1])
    return Plan(order.attempts, tuple(excluded), preferences.allow_fallbacks, order.ranks)


def _variants(endpoints: Sequence[Endpoint], facts: RequestFacts) -> tuple[str, ...]:
    return facts.variants.get(endpoints[0].model, ()) if facts.variants and endpoints else ()


def _admitted(
    endpoints: Sequence[Endpoint], facts: RequestFacts, preferences: Preferences, excluded: list[Exclusion]
) -> Sequence[Endpoint]:
    """The endpoints of one model that may serve the request."""
    variants = _variants(endpoints, facts)
    kept = filters.own_capacity(filters.admit(endpoints, facts, preferences, excluded), endpoints, excluded)
    pooled = tiers.pool(kept, facts, preferences, variants)
    if len(pooled) < len(kept):
        filters.leave_out(kept, pooled, "allowed_providers", "service_tier", excluded)
    if not facts.parameters or preferences.require_parameters:
        return pooled
    return filters.prefer_capable(pooled, facts, excluded)


def _ordered(
    groups: Sequence[Sequence[Endpoint]],
    facts: RequestFacts,
    health: HealthSnapshot,
    preferences: Preferences,
    seed: float,
    boards: Boards | None,
) -> Order:
    """All groups in order, one after the other, without repeats."""
    orders = [arrange(group, facts, health, preferences, _variants(group, facts), seed, boards) for group in groups]
    if len(orders) == 1:
        return orders[0]
    return order_of(sorted([pair for one in orders for pair in zip(one.ranks, one.attempts, strict=True)], key=_across))


def _across(pair: Pair) -> Rank:
    return pair[0][:ACROSS_MODELS]
