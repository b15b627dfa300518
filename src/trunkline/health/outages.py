"""Which endpoints failed in the last 30 s (contract 3.2, step 1): they are tried after the stable ones, never left out."""

import time
from collections.abc import Callable

from trunkline.protocol.health import EndpointHealth, HealthSnapshot

WINDOW_SECONDS = 30.0
_HEALTHY = HealthSnapshot()


class OutageMemory:
    """Failures by endpoint id. A success forgets an endpoint's failures, and so does time. Endpoint ids are bounded by the catalogue."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, tuple[int, float]] = {}

    def failed(self, endpoint_id: str) -> None:
        """Count a failure that speaks against the endpoint."""
        count, _ = self._failures.get(endpoint_id, (0, 0.0))
        self._failures[endpoint_id] = (count + 1, self._clock() + WINDOW_SECONDS)

    def succeeded(self, endpoint_id: str) -> None:
        """Forget the endpoint's failures."""
        if self._failures:
            self._failures.pop(endpoint_id, None)

    def snapshot(self) -> HealthSnapshot:
        """Health at this moment."""
        if not self._failures:
            return _HEALTHY
        now = self._clock()
        self._failures = {name: entry for name, entry in self._failures.items() if entry[1] > now}
        return HealthSnapshot({name: EndpointHealth(count) for name, (count, _) in self._failures.items()})
