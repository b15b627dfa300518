"""Which requests may be sent to a second endpoint while the first one is slow, and when (adapters 4.4; Dean and Barroso, "The Tail at
Scale").

Off unless the operator switches it on. Only streams are hedged: a whole answer shows nothing before its end, so that the slower of two
would have been made, and billed, in full. What must not happen twice is never hedged, nor is what callers pay for with their own keys.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from trunkline.dialects.oneshot import OneShotRequest
from trunkline.health.hedges import HedgeBudget
from trunkline.health.monitor import Monitor
from trunkline.inference.call import Exchange
from trunkline.inference.losers import Losers
from trunkline.inference.repairs import Repair
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.request import InboundRequest
from trunkline.routing.standings import demotions, entries_of, waits

Queue = list[tuple[Endpoint, Repair | None]]
"""The endpoints that are still to be tried, with what is to be changed for them."""

_STATEFUL: Final = frozenset(
    ("background", "store", "conversation", "previous_response_id", "mcp_servers", "container", "web_search_options", "x_search_filter")
)
"""Fields that have the upstream keep something, or do something beside generating."""
_UNSET: Final = (b"null", b"false")
_CALLERS_TOOLS: Final = frozenset((None, "function", "custom"))
"""Types of the tools that the caller runs; all others run at the provider."""


class _Tool(Struct, gc=False):
    type: str | None = None


_TOOLS: Final = msgspec.json.Decoder(list[_Tool] | None)


class Pair(Struct, frozen=True, gc=False):
    """An attempt and the one that might be made beside it."""

    request: InboundRequest
    first: Endpoint
    second: Endpoint
    fallbacks: bool
    staged: bool = False


class Outlook(Struct, frozen=True, omit_defaults=True):
    """What hedging would do for a request: after how many seconds without content which endpoint would be asked too, or why none would."""

    after_seconds: float | None = None
    provider: str | None = None
    tag: str | None = None
    why_not: str | None = None


def acts(request: InboundRequest) -> bool:
    """Whether the upstream may do more than answer: keep the answer, go on in the background, or run tools of its own."""
    fields = request.fields
    if not _STATEFUL.isdisjoint(fields) and any(bytes(fields[name]) not in _UNSET for name in _STATEFUL if name in fields):
        return True
    tools = fields.get("tools")
    if tools is None:
        return False
    try:
        return any(one.type not in _CALLERS_TOOLS for one in _TOOLS.decode(tools) or ())
    except msgspec.MsgspecError:
        return True


RULES: Final[tuple[tuple[str, Callable[[Pair], bool]], ...]] = (
    ("not_streamed", lambda pair: not pair.request.stream or isinstance(pair.request, OneShotRequest)),
    ("no_fallbacks", lambda pair: not pair.fallbacks),
    ("no_other_endpoint", lambda pair: pair.first.id == pair.second.id or pair.first.model != pair.second.model),
    ("own_key", lambda pair: bool(pair.first.byok or pair.second.byok)),
    ("plugins", lambda pair: pair.staged),
    ("server_side_effects", lambda pair: acts(pair.request)),
)
"""What forbids a hedge, in the order of looking."""


class Hedging:
    """Decides. `budget` bounds the extra load, `losers` sees off the slower attempts."""

    def __init__(self, health: Monitor, losers: Losers, budget: HedgeBudget) -> None:
        self.health = health
        self.losers = losers
        self.budget = budget

    def patience(self, exchange: Exchange, endpoint: Endpoint, queue: Queue) -> float | None:
        """Seconds to wait for the first content of an attempt that begins now; None where there will be no hedge."""
        if not exchange.attempts:
            self.budget.request()
        if not queue or not exchange.request.stream or exchange.hedged:
            return None
        return self.health.late(endpoint.id)

    def why_not(self, pair: Pair) -> str | None:
        """What forbids a hedge at this moment, None = nothing: a word of `RULES`, or `other_endpoint_waits`, or `extra_load`."""
        for word, forbids in RULES:
            if forbids(pair):
                return word
        snapshot, second = self.health.snapshot(), (pair.second,)
        entries = entries_of(second, snapshot)
        if waits(second, entries, snapshot)[0] or demotions(entries)[0]:
            return "other_endpoint_waits"
        return None if self.budget.allows() else "extra_load"

    def outlook(self, request: InboundRequest, attempts: Sequence[Endpoint], *, fallbacks: bool) -> Outlook:
        """What would be done for a request with this plan, as things are now."""
        if len(attempts) < 2:
            return Outlook(why_not="no_other_endpoint")
        first, second = attempts[:2]
        reason = self.why_not(Pair(request, first, second, fallbacks))
        seconds = self.health.late(first.id)
        if reason in (None, "extra_load") and seconds is None:
            reason = "too_few_measurements"
        if reason is not None:
            return Outlook(why_not=reason)
        return Outlook(after_seconds=seconds, provider=second.provider_name, tag=second.tag)

    def counters(self) -> dict[str, int | float]:
        """For `GET /health`: hedges of this process since its start, those that were faster, and what the slower attempts cost, in USD."""
        return {"started": self.budget.started, "won": self.budget.won, "lost_cost_usd": self.losers.cost / 1e12}
