"""Credentials that are better left alone for a while: rate limited for one model, or refused altogether (adapters 4.4, "scope").

A cool-down never covers a model at all its providers. It is a hint for the order of attempts: where nothing else is left, the endpoint is
tried all the same.
"""

import logging
from collections.abc import Mapping
from typing import Final

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import Scope

FIRST_SECONDS: Final = 5.0
LONGEST_SECONDS: Final = 60.0
REFUSED_SECONDS: Final = 600.0
STEP_SECONDS: Final = 300.0
"""For so long after a pause the next one is longer."""
_EVERY_MODEL: Final = ""
_MOST_STEPS: Final = 8

log = logging.getLogger(__name__)


class Cooldowns:
    """Until when (monotonic seconds) each scope rests: `own` by what this process saw, `until` by what others said, too."""

    def __init__(self) -> None:
        self.own: dict[Scope, float] = {}
        self.until: dict[Scope, float] = {}
        self._hints: Mapping[Scope, float] = {}
        self._steps: dict[Scope, tuple[int, float]] = {}
        self._alerted: dict[Scope, float] = {}

    @property
    def knows_any(self) -> bool:
        """Whether a success can change anything."""
        return bool(self.own or self._steps)

    def rate_limited(self, endpoint: Endpoint, now: float, retry_after: float | None) -> None:
        """The upstream wants to hear less of this credential for this model. Without its own hint the pauses double, from 5 s to 60 s; what
        runs when one begins may be refused as well, which makes it no longer."""
        scope = (endpoint.credential, endpoint.model)
        running = now < self.own.get(scope, 0.0)
        if retry_after is None and running:
            return
        step, _ = self._steps.get(scope, (0, 0.0))
        seconds = retry_after if retry_after is not None else min(FIRST_SECONDS * 2**step, LONGEST_SECONDS)
        until = max(now + seconds, self.own.get(scope, 0.0))
        self._steps[scope] = (step if running else min(step + 1, _MOST_STEPS), until + STEP_SECONDS)
        self._set(scope, until, now)

    def refused(self, endpoint: Endpoint, now: float, reason: str) -> None:
        """The credential is wrong, expired or has no money left. The operator reads of it in the log, once for each cool-down, as an
        error unless the credential is a caller's own."""
        scope = (endpoint.credential, _EVERY_MODEL)
        if now >= self._alerted.get(scope, 0.0):
            self._alerted[scope] = now + REFUSED_SECONDS
            log.log(
                logging.INFO if endpoint.byok else logging.ERROR,
                "%s refuses the credential %s (%s); its endpoints are tried last for 10 minutes",
                endpoint.provider_name,
                endpoint.credential,
                reason,
            )
        self._set(scope, now + REFUSED_SECONDS, now)

    def succeeded(self, endpoint: Endpoint, now: float) -> bool:
        """An answer came: the credential is good, and after the end of a pause the next one begins short again. What was sent before a
        rate limit says nothing against that. Returns whether something changed."""
        pair = (endpoint.credential, endpoint.model)
        if pair in self._steps and now >= self.own.get(pair, 0.0):
            del self._steps[pair]
        if self.own.pop((endpoint.credential, _EVERY_MODEL), None) is None:
            return False
        self._merge(now)
        return True

    def hear(self, hints: Mapping[Scope, float], now: float) -> None:
        """Take over what other workers know."""
        self._hints = hints
        self._merge(now)

    def _set(self, scope: Scope, until: float, now: float) -> None:
        self.own[scope] = until
        self._merge(now)

    def _merge(self, now: float) -> None:
        """Bring `until`, which others hold, up to date in place; without what is over."""
        self.own = {scope: until for scope, until in self.own.items() if until > now}
        self._steps = {scope: step for scope, step in self._steps.items() if step[1] > now}
        self._alerted = {scope: until for scope, until in self._alerted.items() if until > now}
        merged = dict(self.own)
        for scope, until in self._hints.items():
            if until > max(now, merged.get(scope, 0.0)):
                merged[scope] = until
        self.until.clear()
        self.until.update(merged)
