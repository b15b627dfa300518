"""The plan of one request: the endpoints of each model filtered and ordered, and the lists put together."""

from collections.abc import Sequence

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import HealthSnapshot
from trunkline.protocol.routing import Exclusion, Plan, Preferences, Rank, RequestFacts
from trunkline.routing import filters, tiers
from trunkline.routing.order import ACROSS_MODELS, arrange

Ranked = list[tuple[Rank, Endpoint]]


def make_plan(
    facts: RequestFacts, candidates: Sequence[Sequence[Endpoint]], health: HealthSnapshot, preferences: Preferences, seed: float
) -> Plan:
    """Plan a request.

    `candidates` holds the endpoints of each model in the caller's order, the copies for the caller's own keys included; all endpoints of
    one model come before those of the next, except with partition `none` (contract 3.5). What is hopeless right now, or misses a
    preferred throughput or latency, goes behind all models. `seed` is a random number in [0, 1).

    An empty plan tells by `excluded` why. Without fallbacks only the first endpoint, or those the caller listed in `order`, are tried.
    """
    excluded: list[Exclusion] = []
    groups = [_admitted(endpoints, facts, preferences, excluded) for endpoints in candidates]
    if preferences.partition == "none" and len(groups) > 1:
        groups = [[one for group in groups for one in group]]
    groups = [group for group in groups if group]
    if not groups or (len(groups) == 1 and len(groups[0]) == 1):
        return Plan(tuple(groups[0]) if groups else (), tuple(excluded), preferences.allow_fallbacks)
    ranked = _ranked(groups, facts, health, preferences, seed)
    if not preferences.allow_fallbacks and not preferences.order and len(ranked) > 1:
        excluded += [Exclusion(one, "allowed_providers", "allow_fallbacks") for _, one in ranked[1:]]
        del ranked[1:]
    ranks, attempts = zip(*ranked, strict=True)
    return Plan(attempts, tuple(excluded), preferences.allow_fallbacks, ranks)


def _variants(endpoints: Sequence[Endpoint], facts: RequestFacts) -> tuple[str, ...]:
    return facts.variants.get(endpoints[0].model, ()) if facts.variants and endpoints else ()


def _admitted(
    endpoints: Sequence[Endpoint], facts: RequestFacts, preferences: Preferences, excluded: list[Exclusion]
) -> Sequence[Endpoint]:
    """The endpoints of one model that may serve the request."""
    variants = _variants(endpoints, facts)
    kept = filters.admit(filters.own_capacity(endpoints, excluded), facts, preferences, excluded)
    pooled = tiers.pool(kept, facts, preferences, variants)
    if len(pooled) < len(kept):
        filters.leave_out(kept, pooled, "allowed_providers", "service_tier", excluded)
    return filters.prefer_capable(pooled, facts, excluded) if facts.parameters else pooled


def _ranked(
    groups: Sequence[Sequence[Endpoint]], facts: RequestFacts, health: HealthSnapshot, preferences: Preferences, seed: float
) -> Ranked:
    """All groups in order, one after the other, without repeats."""
    ranked: Ranked = []
    for group in groups:
        ranked += arrange(group, facts, health, preferences, _variants(group, facts), seed)
    if len(groups) > 1:
        ranked.sort(key=_across)
    if len({(one.id, one.byok) for _, one in ranked}) < len(ranked):
        return _once(ranked)
    return ranked


def _once(ranked: Ranked) -> Ranked:
    """Each endpoint with each credential where it stands first."""
    first: dict[tuple[str, str], tuple[Rank, Endpoint]] = {}
    for pair in ranked:
        first.setdefault((pair[1].id, pair[1].byok), pair)
    return list(first.values())


def _across(pair: tuple[Rank, Endpoint]) -> Rank:
    return pair[0][:ACROSS_MODELS]
