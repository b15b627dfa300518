"""Which endpoint served a conversation last, so that its next turn finds the prompt cache warm (contract 3.8)."""

import time
from collections.abc import Callable

from msgspec import Struct

IDLE_SECONDS = 600.0
CAPACITY = 100_000
"""Conversations remembered: about 20 MB. The one that is idle for longest goes first."""


class Thread(Struct, frozen=True, gc=False):
    """A conversation: a hash over account, model and what identifies it; `named` = the caller gave it a name."""

    key: bytes
    named: bool


class Stickiness:
    """Endpoint ids by conversation. A conversation is a hash over account, model and what identifies it; the caller makes it."""

    def __init__(self, capacity: int = CAPACITY, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = capacity
        self._clock = clock
        self._choices: dict[bytes, tuple[str, float]] = {}

    def __len__(self) -> int:
        return len(self._choices)

    def choice(self, conversation: bytes) -> str:
        """The id of the endpoint that the conversation sticks to, empty for none. It is still the planner's to decide."""
        found = self._choices.get(conversation)
        if found is None:
            return ""
        endpoint_id, until = found
        if until <= self._clock():
            del self._choices[conversation]
            return ""
        return endpoint_id

    def succeeded(self, conversation: bytes, endpoint_id: str, *, named: bool, cached: bool) -> None:
        """Note that the endpoint has answered.

        A conversation that the caller `named` (by a session id) sticks from its first success; another only once its prompt was read from
        or written to a cache (`cached`). Each success of the endpoint starts the ten idle minutes anew.
        """
        before = self._choices.pop(conversation, None)
        if not (named or cached or (before is not None and before[0] == endpoint_id)):
            return
        if len(self._choices) >= self._capacity:
            del self._choices[next(iter(self._choices))]
        self._choices[conversation] = (endpoint_id, self._clock() + IDLE_SECONDS)

    def failed(self, conversation: bytes, endpoint_id: str) -> None:
        """Note that the endpoint has failed: the conversation sticks to it no longer."""
        found = self._choices.get(conversation)
        if found is not None and found[0] == endpoint_id:
            del self._choices[conversation]
