"""What is known of endpoints, kept up to date by the outcome of every attempt, and read by the planner of every request.

The planner reads two mappings that are always ready: an entry is made anew when something happens to its endpoint, and when something
about it ends with time. Each process decides by what it saw itself, at once; what others saw comes from the `board`, as a hint.
"""

import heapq
import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from trunkline.analytics.slots import Slot
from trunkline.errors import UpstreamError, UpstreamRefused
from trunkline.health.board import Board, News, Notice
from trunkline.health.breaker import Breaker
from trunkline.health.cooldowns import Cooldowns
from trunkline.health.headroom import Header, headroom
from trunkline.health.live import Live
from trunkline.health.retries import RetryBudget
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.health import EndpointHealth, HealthSnapshot, Percentiles, Standing

log = logging.getLogger(__name__)

ABSENT_SECONDS: Final = 600.0
"""How long an endpoint rests that does not serve its model, or not from here."""
LONGEST_REST_SECONDS: Final = 300.0
"""What an endpoint's own Retry-After may ask for at most."""
HEADROOM_SECONDS: Final = 60.0
"""How long the headers of an answer tell what is left of a rate limit."""
FIGURES_SECONDS: Final = 2.0
"""How old percentiles may be while there is traffic."""
EXPIRY_SECONDS: Final = 60.0
_MOST_AT_ONCE: Final = 8
"""Entries made anew for one request at most; the others wait for the next."""

Speeds = tuple[Percentiles | None, Percentiles | None]


class Longterm(Struct, frozen=True, gc=False):
    """What storage knows of an endpoint, from all processes, and what was imported: see `EndpointHealth`."""

    standing: Standing = "normal"
    requests: int = 0
    speed: float | None = None
    tool_requests: int = 0
    tool_success: float | None = None
    structured_requests: int = 0
    structured_success: float | None = None
    benchmarks: tuple[tuple[str, float], ...] = ()
    behind: bool | None = None


_UNKNOWN: Final = Longterm()
_HEALTHY: Final = EndpointHealth()
_NO_NOTICE: Final = Notice(0.0, 0.0)
_NO_SPEEDS: Final[Speeds] = (None, None)
_ALL_ROOM: Final = (1.0, 0.0)
_REFUSED: Final = frozenset({"quota", "credential"})
_ABSENT: Final = frozenset({"model_access", "region"})
_NEVER: Final = float("inf")


class Monitor:
    """The health of all endpoints. For one event loop; `clock` gives monotonic seconds, `draw` random numbers in [0, 1).

    Endpoints are bounded by the catalogue; nothing is kept of one that nobody calls.
    """

    def __init__(
        self,
        *,
        live: Live | None = None,
        board: Board | None = None,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.retries = RetryBudget(clock)
        self._live = live or Live()
        self._board = board
        self._clock = clock
        self._draw = draw
        self._breakers: dict[str, Breaker] = {}
        self._unbroken = Breaker()
        self._cooldowns = Cooldowns()
        self._headroom: dict[str, tuple[float, float]] = {}
        self._speeds: dict[str, Speeds] = {}
        self._late: dict[str, tuple[float, float | None]] = {}
        self._longterm: Mapping[str, Longterm] = {}
        self._hints: Mapping[str, Notice] = {}
        self._entries: dict[str, EndpointHealth] = {}
        self._due: list[tuple[float, str]] = []
        self._next: dict[str, float] = {}

    def snapshot(self) -> HealthSnapshot:
        """Health at this moment, to be read at once."""
        now = self._clock()
        if self._board is not None and self._board.is_due(now):
            self._hear(self._board, now)
        due = self._due
        for _ in range(_MOST_AT_ONCE):
            if not due or due[0][0] > now:
                break
            when, endpoint_id = heapq.heappop(due)
            if self._next.get(endpoint_id) == when:
                del self._next[endpoint_id]
                self._measure(endpoint_id, now)
        return HealthSnapshot(self._entries, self._cooldowns.until, now)

    def begin(self, endpoint_id: str) -> bool:
        """Before a request is sent to an endpoint. False when it is half open and another request is trying it: better go elsewhere first.

        After True the outcome is told by `succeeded` or `failed`, or by `released` when there is none.
        """
        breaker = self._breakers.get(endpoint_id)
        if breaker is None or not breaker.ejected_until:
            return True
        now = self._clock()
        mine = breaker.begin(now)
        if mine and breaker.probe_until > now:
            self._renew(endpoint_id, now)
        return mine

    def succeeded(self, endpoint: Endpoint) -> None:
        """The endpoint gave its first content."""
        breaker = self._breakers.get(endpoint.id)
        if breaker is None:
            breaker = self._breakers[endpoint.id] = Breaker()
        now = self._clock()
        changed = breaker.succeed(now)
        cooled = self._cooldowns.knows_any and self._cooldowns.succeeded(endpoint, now)
        if changed:
            self._renew(endpoint.id, now)
        if changed or cooled:
            self._publish()

    def failed(self, endpoint: Endpoint, error: UpstreamError, *, counts: bool, late: bool = False) -> None:
        """An attempt failed. `counts`: that speaks against the endpoint (`inference.verdicts`); `late`: it was told as a success before."""
        now = self._clock()
        breaker = self._breakers.setdefault(endpoint.id, Breaker())
        was_failing, was_ejected = breaker.failed_until > now, breaker.ejected_until
        hint = error.retry_after if isinstance(error, UpstreamRefused) else None
        cooled = self._cool(endpoint, error.kind, now, hint)
        if cooled or not counts:
            breaker.release()
        else:
            breaker.fail(now, self._draw(), late=late)
        if not cooled and error.kind in _ABSENT:
            breaker.rest(now + ABSENT_SECONDS)
        elif not cooled and counts and hint is not None:
            breaker.rest(now + min(hint, LONGEST_REST_SECONDS))
        self._renew(endpoint.id, now)
        if error.told and not was_failing:
            log.warning("%s cannot be reached: %s", endpoint.id, error.message)
        if cooled or was_failing != (breaker.failed_until > now) or was_ejected != breaker.ejected_until:
            self._publish()

    def released(self, endpoint_id: str) -> None:
        """A request that `begin` let through ended without an outcome, such as when its caller left."""
        breaker = self._breakers.get(endpoint_id)
        if breaker is not None and breaker.probe_until:
            breaker.release()
            self._renew(endpoint_id, self._clock())

    def heard(self, endpoint_id: str, header: Header) -> None:
        """Read what the head of an answer tells of rate limits; `header` gives the value of a lower-case name."""
        fraction = headroom(header)
        if fraction is None:
            return
        now = self._clock()
        before = self._headroom.get(endpoint_id, _ALL_ROOM)[0]
        if fraction < 1.0:
            self._headroom[endpoint_id] = (fraction, now + HEADROOM_SECONDS)
        else:
            self._headroom.pop(endpoint_id, None)
        if fraction != before:
            self._renew(endpoint_id, now)

    def late(self, endpoint_id: str) -> float | None:
        """Seconds after which a stream of this endpoint is later with its first content than 95 % are; None where too few were seen. Up to
        two seconds old, and worked out only for who asks."""
        now = self._clock()
        known = self._late.get(endpoint_id)
        if known is None or known[0] <= now:
            known = self._late[endpoint_id] = (now + FIGURES_SECONDS, self._live.late(endpoint_id))
        return known[1]

    def observe(self, record: GenerationRecord) -> None:
        """Count a finished generation."""
        self._live.observe(record)
        when = self._clock() + FIGURES_SECONDS
        for attempt in record.attempts:
            self._schedule(attempt.endpoint_id, when)

    def seed(self, minute: int, endpoint_id: str, slot: Slot) -> None:
        """At the start, take over what storage knows of one of the last minutes: see `Live.seed`."""
        self._live.seed(minute, endpoint_id, slot)
        self._schedule(endpoint_id, self._clock())

    def learn(self, longterm: Mapping[str, Longterm]) -> None:
        """Take over what storage knows, by endpoint id, in place of what it knew before."""
        before, self._longterm = self._longterm, longterm
        now = self._clock()
        for endpoint_id in before.keys() | longterm.keys():
            if before.get(endpoint_id) != longterm.get(endpoint_id):
                self._renew(endpoint_id, now)

    def share(self, stored: Mapping[str, Slot]) -> None:
        """Take over what all processes stored of the last five minutes: see `Live.share`."""
        now = self._clock()
        for endpoint_id in self._live.share(stored):
            self._measure(endpoint_id, now)

    def _cool(self, endpoint: Endpoint, kind: str, now: float, hint: float | None) -> bool:
        """Whether the failure speaks against the credential and not the endpoint, which others may use with another one."""
        if kind == "rate_limit":
            self._cooldowns.rate_limited(endpoint, now, hint)
        elif kind in _ABSENT and endpoint.byok:
            self._cooldowns.rate_limited(endpoint, now, ABSENT_SECONDS)
        elif kind in _REFUSED:
            self._cooldowns.refused(endpoint, now, kind)
        else:
            return False
        return True

    def _measure(self, endpoint_id: str, now: float) -> None:
        """Make the percentiles anew, and the entry with them."""
        speeds = self._live.percentiles(endpoint_id)
        if speeds == _NO_SPEEDS:
            self._speeds.pop(endpoint_id, None)
        else:
            self._speeds[endpoint_id] = speeds
            self._schedule(endpoint_id, now + EXPIRY_SECONDS)
        self._renew(endpoint_id, now)

    def _renew(self, endpoint_id: str, now: float) -> None:
        """Make the entry of an endpoint anew, and see to it that this happens again when a part of it is over."""
        breaker = self._breakers.get(endpoint_id, self._unbroken)
        hint = self._hints.get(endpoint_id, _NO_NOTICE)
        room, room_until = self._headroom.get(endpoint_id, _ALL_ROOM)
        failures = breaker.failures if breaker.failed_until > now else int(hint.failed_until > now)
        ejected_until = max(breaker.ejected_until, hint.ejected_until if hint.ejected_until > now else 0.0)
        latency, throughput = self._speeds.get(endpoint_id, _NO_SPEEDS)
        longterm = self._longterm.get(endpoint_id, _UNKNOWN)
        entry = EndpointHealth(
            recent_failures=failures,
            standing=longterm.standing,
            ejected_until=ejected_until,
            probing=breaker.probe_until > now,
            headroom=room if room_until > now else 1.0,
            latency=latency,
            throughput=throughput,
            requests=longterm.requests,
            speed=longterm.speed,
            tool_requests=longterm.tool_requests,
            tool_success=longterm.tool_success,
            structured_requests=longterm.structured_requests,
            structured_success=longterm.structured_success,
            benchmarks=longterm.benchmarks,
            behind=longterm.behind,
        )
        if entry == _HEALTHY:
            self._entries.pop(endpoint_id, None)
        else:
            self._entries[endpoint_id] = entry
        for until in (breaker.failed_until, hint.failed_until, hint.ejected_until, breaker.probe_until, room_until):
            if until > now:
                self._schedule(endpoint_id, until)

    def _schedule(self, endpoint_id: str, when: float) -> None:
        """Have the entry made anew at that time, or before."""
        if when < self._next.get(endpoint_id, _NEVER):
            self._next[endpoint_id] = when
            heapq.heappush(self._due, (when, endpoint_id))

    def _hear(self, board: Board, now: float) -> None:
        news = board.read(now)
        if news is None:
            return
        before, self._hints = self._hints, news.endpoints
        self._cooldowns.hear(news.cooldowns, now)
        for endpoint_id in before.keys() | news.endpoints.keys():
            if before.get(endpoint_id) != news.endpoints.get(endpoint_id):
                self._renew(endpoint_id, now)

    def _publish(self) -> None:
        if self._board is None:
            return
        now = self._clock()
        notices = {
            endpoint_id: Notice(breaker.failed_until, breaker.ejected_until)
            for endpoint_id, breaker in self._breakers.items()
            if not breaker.quiet and max(breaker.failed_until, breaker.ejected_until) > now
        }
        self._board.publish(News(notices, self._cooldowns.own))
