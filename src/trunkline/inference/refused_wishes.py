"""Which parameters endpoints refused lately: requests that follow leave them out at once, by way of a repair (adapters 2.2, last line).

Some upstreams refuse a parameter, others one value of it, and say so by the code `unsupported_value`: then only that value is remembered.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final

from trunkline.dialects.hub.conversation import Conversation
from trunkline.inference.repairs import Repair, wish_of, without_wish
from trunkline.protocol.catalogue import Endpoint

REMEMBERED_SECONDS: Final = 3600.0
MOST_REMEMBERED: Final = 1000
"""Refusals kept of all endpoints; the oldest goes first."""
_LONGEST_VALUE: Final = 100
_ANY: Final = ""

_log = logging.getLogger(__name__)

Refused = tuple[str, str]
"""A parameter and the value that was refused, "" = any."""


class RefusedWishes:
    """The memory of one worker. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: OrderedDict[tuple[str, Refused], float] = OrderedDict()
        self._by_endpoint: dict[str, list[Refused]] = {}

    def remember(self, endpoint: Endpoint, conversation: Conversation, repair: Repair) -> None:
        """Note that the endpoint took a conversation only after a repair."""
        name = repair.names[-1]
        wish = wish_of(name, conversation)
        if repair.lasting and wish is not None:
            self._note(endpoint, (name, str(wish)[:_LONGEST_VALUE] if repair.by_value else _ANY))

    def repair(self, endpoint: Endpoint, conversation: Callable[[], Conversation]) -> Repair | None:
        """What to leave out for an endpoint from the start; `conversation` is called only for one that has refused something."""
        if endpoint.id not in self._by_endpoint:
            return None
        names = self._names(endpoint.id, conversation())
        return Repair(partial(_without, names), names, learned=True) if names else None

    def _names(self, endpoint_id: str, conversation: Conversation) -> tuple[str, ...]:
        now = self._clock()
        for refused in [one for one in self._by_endpoint[endpoint_id] if self._until[endpoint_id, one] <= now]:
            self._forget(endpoint_id, refused)
        known = self._by_endpoint.get(endpoint_id, ())
        wishes = [(name, value, wish_of(name, conversation)) for name, value in known]
        return tuple([name for name, value, wish in wishes if wish is not None and value in (_ANY, str(wish)[:_LONGEST_VALUE])])

    def _note(self, endpoint: Endpoint, refused: Refused) -> None:
        key = (endpoint.id, refused)
        if key not in self._until:
            shown = refused[0] + (f" = {refused[1]}" if refused[1] else "")
            _log.warning("%s refuses %s: it is left out for %g s", endpoint.id, shown, REMEMBERED_SECONDS)
            self._by_endpoint.setdefault(endpoint.id, []).append(refused)
        self._until[key] = self._clock() + REMEMBERED_SECONDS
        self._until.move_to_end(key)
        while len(self._until) > MOST_REMEMBERED:
            self._forget(*next(iter(self._until)))

    def _forget(self, endpoint_id: str, refused: Refused) -> None:
        del self._until[endpoint_id, refused]
        left = [one for one in self._by_endpoint[endpoint_id] if one != refused]
        if left:
            self._by_endpoint[endpoint_id] = left
        else:
            del self._by_endpoint[endpoint_id]


def _without(names: tuple[str, ...], conversation: Conversation) -> Conversation:
    for name in names:
        conversation = without_wish(name, conversation)
    return conversation
