"""What the endpoints of a model and their health say together, worked out once for all requests until either changes.

The catalogue hands out the same tuple of endpoints again and again, and health replaces the entry of an endpoint when something happens to
it, at most every few seconds. In between, the columns that do not depend on the request are the same, and where the request asks for
nothing of its own, so is the order, up to the draw.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

from msgspec import Struct, field

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import HealthSnapshot, Scope
from trunkline.protocol.routing import Cutoffs, Rank, Sort
from trunkline.routing import quality
from trunkline.routing.standings import Entries, demotions, entries_of

SHARED: Final = 1
"""The credential column of the instance's own capacity; 0 is a key of the caller's, 2 one that serves after the instance's."""
MOST_ARRANGEMENTS: Final = 64
MOST_BOARDS: Final = 1024
"""How many are kept of one board, and of all; beyond that they are made anew."""

Pair = tuple[Rank, Endpoint]
Wish = tuple[Sort | None, bool, str, bool, Cutoffs | None, Cutoffs | None]
"""What of a request decides the order, where it has none of its own and nothing waits: sort, whether tool calls are judged, the endpoint of
the conversation, whether a fast service tier was asked for, preferred throughput and latency."""


class Order(Struct, frozen=True):
    """Endpoints in the order in which they are tried, and the place of each."""

    attempts: tuple[Endpoint, ...]
    ranks: tuple[Rank, ...]


class Arrangement(Struct, frozen=True):
    """Endpoints in order with their ranks. One of those that `drawn` holds, which stand from `start` on, goes before the others of them:
    it is drawn by `sums`, the running sums of their weights. `orders` fills with what came of it, by who was drawn."""

    pairs: Sequence[Pair]
    start: int = 0
    drawn: Sequence[Pair] = ()
    sums: Sequence[float] = ()
    orders: dict[int, Order] = field(default_factory=dict)

    def order(self, seed: float) -> Order:
        """The order when the draw falls as `seed` says, a random number in [0, 1)."""
        sums = self.sums
        index = min(bisect_right(sums, seed * sums[-1]), len(sums) - 1) if sums else -1
        known = self.orders.get(index)
        if known is None:
            known = self.orders[index] = self._drawing(index)
        return known

    def _drawing(self, index: int) -> Order:
        pairs = [*self.pairs]
        if index >= 0:
            del pairs[self.start + index]
            pairs.insert(self.start, self.drawn[index])
        return order_of(pairs)


def order_of(pairs: Iterable[Pair]) -> Order:
    """The pairs as an order, each endpoint with each credential where it stands first."""
    first: dict[tuple[str, str], Pair] = {}
    for pair in pairs:
        first.setdefault((pair[1].id, pair[1].byok), pair)
    return Order(tuple([one for _, one in first.values()]), tuple([rank for rank, _ in first.values()]))


class Board:
    """The endpoints of one model, with a column for each thing that their own data and their health say of them."""

    def __init__(self, endpoints: Sequence[Endpoint], entries: Entries) -> None:
        self.endpoints = endpoints
        self.entries = entries
        self.zeros = [0] * len(endpoints)
        self.prices = [one.pricing.prompt + one.pricing.completion for one in endpoints]
        self.credentials = [SHARED if not one.byok else 2 if one.byok_fallback else 0 for one in endpoints]
        self.demotions = demotions(entries)
        self.may_wait = bool([one for one in entries if one.ejected_until or one.probing])
        self._arrangements: dict[Wish, Arrangement] = {}

    @cached_property
    def exacto(self) -> Sequence[int]:
        """How well they handle tools, see `quality`."""
        return quality.tiers(self.endpoints, self.entries)

    @cached_property
    def ids(self) -> frozenset[str]:
        return frozenset([one.id for one in self.endpoints])

    @cached_property
    def _credential_names(self) -> frozenset[str]:
        return frozenset([one.credential for one in self.endpoints])

    def arrangement(self, wish: Wish, arrange: Callable[[], Arrangement]) -> Arrangement:
        """The order for such requests, made by `arrange` for the first of them."""
        known = self._arrangements.get(wish)
        if known is None:
            if len(self._arrangements) >= MOST_ARRANGEMENTS:
                self._arrangements.clear()
            known = self._arrangements[wish] = arrange()
        return known

    def cools(self, cooldowns: Mapping[Scope, float]) -> bool:
        """Whether a cool-down may speak of one of these endpoints."""
        return bool(cooldowns) and not self._credential_names.isdisjoint([name for name, _ in cooldowns])


class Boards:
    """The boards of a catalogue's models, each made anew when its endpoints or an entry of theirs are replaced. A memo: plans are the same
    without it."""

    def __init__(self) -> None:
        self._boards: dict[int, Board] = {}

    def of(self, endpoints: Sequence[Endpoint], health: HealthSnapshot) -> Board:
        """The board of these endpoints. What was filtered (a list), or begins with a copy for a caller's own key, is of one request and
        not remembered."""
        entries = entries_of(endpoints, health)
        if not isinstance(endpoints, tuple) or endpoints[0].byok:
            return Board(endpoints, entries)
        board = self._boards.get(id(endpoints))
        if board is None or board.endpoints is not endpoints or board.entries != entries:
            if len(self._boards) >= MOST_BOARDS:
                self._boards.clear()
            board = self._boards[id(endpoints)] = Board(endpoints, entries)
        return board
