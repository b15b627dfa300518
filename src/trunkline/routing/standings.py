"""What the health of endpoints does to their order (contract 3.3, adapters' rules of cool-down and ejection).

An endpoint in trouble moves back and is never left out: first those with a low uptime, then those with an outage in the last 30 s, then
those that are down, and at the very end, soonest recovery first, those that are ejected or whose credential is cooling down.
"""

from collections.abc import Sequence
from math import inf

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import EndpointHealth, HealthSnapshot
from trunkline.protocol.routing import Cutoffs

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
    cooling = health.cooldowns
    if cooling:
        names = {name for name, _ in cooling}
        for index, one in enumerate(endpoints):
            if (name := one.byok or one.provider) in names:
                until = max(cooling.get((name, one.model), 0.0), cooling.get((name, ""), 0.0))
                result[index] = max(result[index], until - now)
    return result


def demotions(entries: Entries) -> list[int]:
    """How far back each usable endpoint moves: 0 = not at all."""
    return [
        (OUTAGE if one.recent_failures and one.standing != "down" else STANDINGS[one.standing]) if one is not UNKNOWN else 0
        for one in entries
    ]


def shortfalls(entries: Entries, throughput: Cutoffs | None, latency: Cutoffs | None) -> list[bool]:
    """Whether each endpoint misses the preferred least throughput or the preferred most latency: all cut-offs must hold, and one that
    nobody has measured misses none."""
    fast50, fast75, fast90, fast99 = _limits(throughput, -inf)
    late50, late75, late90, late99 = _limits(latency, inf)
    missed = []
    for one in entries:
        fast, late = one.throughput, one.latency
        if fast is not None and (fast.p50 < fast50 or fast.p75 < fast75 or fast.p90 < fast90 or fast.p99 < fast99):
            missed.append(True)
        else:
            missed.append(late is not None and (late.p50 > late50 or late.p75 > late75 or late.p90 > late90 or late.p99 > late99))
    return missed


def _limits(wanted: Cutoffs | None, unlimited: float) -> tuple[float, float, float, float]:
    if wanted is None:
        return unlimited, unlimited, unlimited, unlimited
    p50, p75, p90, p99 = [unlimited if limit is None else limit for limit in (wanted.p50, wanted.p75, wanted.p90, wanted.p99)]
    return p50, p75, p90, p99
