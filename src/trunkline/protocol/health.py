"""What is known of endpoints at one moment, as `health` reports it and `routing` reads it.

All times are seconds of the monotonic clock, as `HealthSnapshot.now`.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Standing = Literal["normal", "degraded", "down"]
Scope = tuple[str, str]
"""What a cool-down covers: (credential, model), or (credential, "") for the whole credential. See `Endpoint.credential`."""


class Percentiles(Struct, frozen=True, gc=False):
    """How well requests do: `p90` is what 90 % of them reach or better. So it is a high latency, but a low throughput (the cut-offs of
    contract 3.1 are read in the same way: p50 of 100 and p90 of 50 tokens a second)."""

    p50: float
    p75: float
    p90: float
    p99: float


class EndpointHealth(Struct, frozen=True, gc=False):
    """What this instance saw of one endpoint; the defaults stand for an endpoint that nobody has called.

    `recent_failures`: counted failures in the last 30 s without a success after them. `standing`: by uptime (contract 3.3), `normal` while
    there is too little data. `ejected_until`: until then the endpoint is tried last (ejection, or the endpoint's own `Retry-After`); 0 =
    it never was. After that it is half open: `probing` says that one request is already trying it, so that others leave it for last.
    `headroom`: the fraction of its rate limit that is left, 1 when it names none.

    Measured, None = too little data: `latency` in seconds to the first token and `throughput` in tokens a second over 5 minutes;
    `requests` and the median `speed` (tokens a second) over 30 minutes; `tool_requests` and `tool_success` (the fraction of them without a
    bad tool call) over 2 hours; `structured_requests` and `structured_success` (the fraction that kept the form which was asked for) over
    30 minutes.

    Imported: `benchmarks` by name, from 0 to 1, and whether they are `behind` those of the model's other endpoints; None = there is nothing
    to compare, or nothing of this endpoint.
    """

    recent_failures: int = 0
    standing: Standing = "normal"
    ejected_until: float = 0.0
    probing: bool = False
    headroom: float = 1.0
    latency: Percentiles | None = None
    throughput: Percentiles | None = None
    requests: int = 0
    speed: float | None = None
    tool_requests: int = 0
    tool_success: float | None = None
    structured_requests: int = 0
    structured_success: float | None = None
    benchmarks: tuple[tuple[str, float], ...] = ()
    behind: bool | None = None


class HealthSnapshot(Struct, frozen=True):
    """Health by endpoint id, an endpoint that is not named being healthy, and by scope until when a credential is better left alone.

    The mappings may be the owner's own, whose entries it replaces: read a snapshot at once, do not keep it. Cool-downs that are over may
    still be listed; compare with `now`.
    """

    endpoints: Mapping[str, EndpointHealth] = {}
    cooldowns: Mapping[Scope, float] = {}
    now: float = 0.0

    def failing(self, endpoint_id: str) -> bool:
        """Whether the endpoint had an outage in the last 30 s."""
        health = self.endpoints.get(endpoint_id)
        return health is not None and health.recent_failures > 0
