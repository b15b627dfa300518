"""The plan of one request: endpoints of the first model, then of its fallbacks, each list filtered and ordered."""

from collections.abc import Sequence

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import HealthSnapshot
from trunkline.protocol.routing import Exclusion, Plan, Preferences, RequestFacts
from trunkline.routing import filters, order


def make_plan(
    facts: RequestFacts, candidates: Sequence[Sequence[Endpoint]], health: HealthSnapshot, preferences: Preferences, seed: float
) -> Plan:
    """Plan a request.

    `candidates` holds the endpoints of each model in the caller's order; all endpoints of one model come before those of the next
    (partition `model`, contract 3.5). `seed` is a random number in [0, 1). An empty plan tells by `excluded` why. Without fallbacks only
    the first endpoint, or those the caller listed in `order`, are tried.
    """
    attempts: list[Endpoint] = []
    excluded: list[Exclusion] = []
    for endpoints in candidates:
        kept, left_out = filters.admit(endpoints, facts, preferences)
        excluded += left_out
        if len(kept) > 1 or preferences.order:
            kept = order.arrange(filters.prefer_capable(kept, facts), health, preferences, seed)
        attempts += kept
    if not preferences.allow_fallbacks and not preferences.order:
        del attempts[1:]
    return Plan(tuple(attempts), tuple(excluded), preferences.allow_fallbacks)
