"""What is known of endpoints at one moment, as `health` reports it and `routing` reads it."""

from msgspec import Struct


class EndpointHealth(Struct, frozen=True, gc=False):
    """`recent_failures`: counted failures in the last 30 s without a success after them."""

    recent_failures: int = 0


class HealthSnapshot(Struct, frozen=True):
    """Health by endpoint id; an endpoint that is not named is healthy."""

    endpoints: dict[str, EndpointHealth] = {}

    def failing(self, endpoint_id: str) -> bool:
        """Whether the endpoint had an outage in the last 30 s."""
        health = self.endpoints.get(endpoint_id)
        return health is not None and health.recent_failures > 0
