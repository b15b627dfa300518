"""What the health of endpoints does to their order (contract 3.3, adapters' rules of cool-down and ejection).

An endpoint in trouble moves back and is never left out: first those with a low uptime, then those with an outage in the last 30 s, then
those that are down, and at the very end, soonest recovery first, those that are ejected or whose credential is cooling down.
"""

from collections.abc import Sequence
from math import inf

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import EndpointHealth, HealthSnapshot
from trunkline.protocol.routing import Cutoffs, Preferences

DEGRADED, OUTAGE, DOWN = 1, 2, 3
STANDINGS = {"normal": 0, "degraded": DEGRADED, "down": DOWN}
UNKNOWN = EndpointHealth()
EPSILON = 1e-9
"""The wait for an endpoint that is being probed right now: it may be back any moment, but is not yet."""

Entries = Sequence[EndpointHealth]


def entries_of(endpoints: Sequence[Endpoint], health: HealthSnapshot) -> Entries:
    """What is known of each endpoint."""
    known = health.endpoints
    return [known.get(one.id, UNKNOWN) for one in endpoints] if known else [UNKNOWN] * len(endpoints)


def waits(endpoints: Sequence[Endpoint], entries: Entries, health: HealthSnapshot) -> list[float]:
    """Seconds until each endpoint is worth trying again; 0 = it is now. One that is half open is, unless somebody is already probing it.
    An ejection speaks of the endpoint, a cool-down of a credential, or of a credential with one model."""
    now = health.now
    result = [one.ejected_until - now if one.ejected_until > now else EPSILON if one.probing else 0.0 for one in entries]
    if health.cooldowns:
        cooling = health.cooldowns
        for index, one in enumerate(endpoints):
            name = one.byok or one.provider
            if (name, one.model) in cooling or (name, "") in cooling:
                until = max(cooling.get((name, one.model), 0.0), cooling.get((name, ""), 0.0))
                result[index] = max(result[index], until - now)
    return result


def demotions(entries: Entries) -> list[int]:
    """How far back each usable endpoint moves: 0 = not at all."""
    return [
        (OUTAGE if one.recent_failures and one.standing != "down" else STANDINGS[one.standing]) if one is not UNKNOWN else 0
        for one in entries
    ]


def shortfalls(entries: Entries, preferences: Preferences) -> list[bool]:
    """Whether each endpoint misses `preferred_min_throughput` or `preferred_max_latency`: all cut-offs must hold, and one that nobody has
    measured misses none."""
    missed = [False] * len(entries)
    if preferences.min_throughput is not None:
        missed = _slower(entries, *_limits(preferences.min_throughput, -inf))
    if preferences.max_latency is not None:
        later = _later(entries, *_limits(preferences.max_latency, inf))
        missed = [one or other for one, other in zip(missed, later, strict=True)]
    return missed


def _limits(wanted: Cutoffs, unlimited: float) -> tuple[float, float, float, float]:
    p50, p75, p90, p99 = [unlimited if limit is None else limit for limit in (wanted.p50, wanted.p75, wanted.p90, wanted.p99)]
    return p50, p75, p90, p99


def _slower(entries: Entries, p50: float, p75: float, p90: float, p99: float) -> list[bool]:
    return [
        (seen := one.throughput) is not None and (seen.p50 < p50 or seen.p75 < p75 or seen.p90 < p90 or seen.p99 < p99) for one in entries
    ]


def _later(entries: Entries, p50: float, p75: float, p90: float, p99: float) -> list[bool]:
    return [(seen := one.latency) is not None and (seen.p50 > p50 or seen.p75 > p75 or seen.p90 > p90 or seen.p99 > p99) for one in entries]
