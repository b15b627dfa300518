"""`GET /credits`: what was granted and what was used, from the ledger. Nothing is sold here, so the purchase operation stays gone."""

from collections.abc import Awaitable, Callable

from trunkline.api.call import Call, Reply, reply
from trunkline.errors import ApiError
from trunkline.protocol.money import usd

Totals = Callable[[], Awaitable[tuple[int, int]]]
"""Gives (credits ever granted, credits ever used) of the account, in pico-dollars."""

_GONE = (
    "The Coinbase APIs used by this endpoint have been deprecated, so the Coinbase Commerce credits API has been removed. "
    "Use the web credits purchase flow instead."
)


class Credits:
    """The tag Credits, over the ledger's totals."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals

    async def read(self, _call: Call) -> Reply:
        """Granted and used credits of the account, in USD."""
        granted, used = await self._totals()
        return reply({"data": {"total_credits": usd(granted), "total_usage": usd(used)}})

    async def refuse_coinbase(self, _call: Call) -> Reply:
        """410, always, whoever asks (contract 8.4)."""
        raise ApiError("not_found", _GONE, status=410)
