"""The ledger of operations beside chat: they are charged by units as well as tokens, and an answer is charged in full or not at all."""

from typing import Final

from trunkline.dialects.hub.translation import Seen
from trunkline.dialects.images.stream import ImageStream
from trunkline.dialects.oneshot import quirks_of
from trunkline.inference.answered import Measured
from trunkline.inference.call import Exchange
from trunkline.inference.ledger import Ledger, on_own_key
from trunkline.limits.budgets import Budgets
from trunkline.metering.estimates import Estimates
from trunkline.metering.recorder import Recorder
from trunkline.metering.units import price_operation
from trunkline.metering.usage import normalise
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.usage import Cost, Units, Usage

_PLAIN: Final = Quirks()
_NONE: Final = Units()


class UnitLedger(Ledger):
    """The ledger of one operation."""

    def __init__(self, recorder: Recorder, budgets: Budgets, estimates: Estimates, operation: str) -> None:
        super().__init__(recorder, budgets, estimates)
        self._operation = operation

    def succeed(self, exchange: Exchange, endpoint: Endpoint, seen: Seen, *, cancelled: bool = False) -> tuple[Usage, Cost]:
        """Record and settle an answer. One that the client left before it was whole costs nothing (contract 5.6)."""
        if cancelled and seen.finish_reason is None:
            self.fail(exchange, status=499, error_type="cancelled", seen=seen, cancelled=True)
            return Usage(), Cost()
        usage = self._units_usage(exchange, endpoint, seen)
        units = seen.units if isinstance(seen, Measured | ImageStream) else _NONE
        cost = price_operation(self._operation, usage, units, endpoint.pricing, per_unit=quirks_of(endpoint, self._operation).per_unit)
        if endpoint.byok:
            usage, cost = on_own_key(usage, cost)
        self._close(exchange, endpoint, seen, usage, cost, cancelled=cancelled)
        return usage, cost

    def _units_usage(self, exchange: Exchange, endpoint: Endpoint, seen: Seen) -> Usage:
        """What the upstream counted, in the names of chat; else the estimate, for text."""
        if seen.usage is None:
            return Usage(exchange.prompt_tokens, self._estimates.tokens(endpoint.model, seen.output_chars), source="estimated")
        usage = normalise(seen.usage, _PLAIN)
        if self._operation == "embeddings" and not exchange.request.modalities:
            self._estimates.observe(
                endpoint.model, text_bytes=exchange.request.prompt_bytes, prompt_tokens=usage.input_total, output_tokens=0
            )
        return usage
