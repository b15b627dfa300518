"""Measures what an exchange used, records it, and settles its hold: once for each, before the last byte of the reply is handed over."""

from msgspec import structs

from trunkline.dialects.hub.translation import Seen
from trunkline.inference.call import Exchange
from trunkline.inference.records import UNSEEN, evidence_of, record_of
from trunkline.limits.budgets import Budgets
from trunkline.metering.cost import cache_discount, insure, own_key, price
from trunkline.metering.estimates import Estimates
from trunkline.metering.recorder import Recorder
from trunkline.metering.tool_calls import ToolEvidence
from trunkline.metering.usage import OUTPUT_AT_END, normalise
from trunkline.protocol.catalogue import Endpoint, Pricing
from trunkline.protocol.generation import CANCELLED
from trunkline.protocol.usage import Cost, Usage

NOTHING = Usage()
NO_BILL = Usage(upstream_cost=0)
FREE = Cost()


class Ledger:
    """Closes exchanges, each once: what comes after the first call for an exchange changes nothing."""

    def __init__(self, recorder: Recorder, budgets: Budgets, estimates: Estimates) -> None:
        self._recorder = recorder
        self._budgets = budgets
        self._estimates = estimates

    def succeed(self, exchange: Exchange, endpoint: Endpoint, seen: Seen, *, cancelled: bool = False) -> tuple[Usage, Cost]:
        """Record and settle an answer that was given, in full or (`cancelled`) as far as the client took it. Returns what it used
        and cost, for the caller's account."""
        usage = self._usage(exchange, endpoint, seen)
        pricing = _pricing(endpoint, seen)
        utc = _utc_hhmm(exchange.call.created_ms) if pricing.overrides else 0
        cost = price(usage, pricing, utc_hhmm=utc)
        if endpoint.byok:
            usage, cost = on_own_key(usage, cost)
        elif not cancelled:
            cost = insure(cost, output_tokens=usage.output_total, finish_reason=seen.finish_reason)
        discount = cache_discount(usage, pricing, utc_hhmm=utc)
        self._close(exchange, endpoint, seen, usage, cost, discount=discount, cancelled=cancelled)
        return usage, cost

    def fail(self, exchange: Exchange, *, status: int, error_type: str, seen: Seen = UNSEEN, cancelled: bool = False) -> None:
        """Record an exchange that brought nothing chargeable, and release its hold (contract 4.4: an error is not charged)."""
        if exchange.settled:
            return
        endpoint = exchange.endpoint or exchange.plan.attempts[0]
        self._close(exchange, endpoint, seen, NOTHING, FREE, cancelled=cancelled, status=status, error_type=error_type)

    def leave(self, exchange: Exchange) -> None:
        """Record and settle an exchange whose client left before anything came. An upstream that has the request bills its prompt
        (adapters 5.3): by estimate, that is what it cost the instance. The caller pays nothing, as for any answer without content
        (contract 4.4), except to the provider itself with a key of its own."""
        endpoint = exchange.endpoint
        usage, cost = NOTHING, FREE
        if endpoint is not None and exchange.is_billed() and not exchange.settled:
            usage, own = self._bill(exchange, endpoint, UNSEEN)
            cost = own if endpoint.byok else FREE
        endpoint = endpoint or exchange.plan.attempts[0]
        self._close(exchange, endpoint, UNSEEN, usage, cost, cancelled=True, status=499, error_type=CANCELLED)

    def lose(self, exchange: Exchange, endpoint: Endpoint, seen: Seen, id: bytes, *, billed: bool) -> int:
        """Record what an attempt cost the instance that was given up for another (`inference.losers`), and return that in pico-dollars. It
        is a generation of its own, for which its key pays nothing. `billed`: the upstream counts what it has done."""
        told, cost = NO_BILL, 0
        if billed:
            told, _ = self._bill(exchange, endpoint, seen)
            cost = told.upstream_cost or 0
        record = record_of(exchange, endpoint, seen, told, FREE, discount=None, cancelled=True, status=200, error_type=None, tool_calls=0)
        self._recorder.record(structs.replace(record, id=id, hedge_of=exchange.call.id_text, attempts=()))
        return cost

    def _bill(self, exchange: Exchange, endpoint: Endpoint, seen: Seen) -> tuple[Usage, Cost]:
        """What an attempt that was given up used, with its upstream's price for that, and what it costs a caller with a key of its own."""
        usage, pricing = self._usage(exchange, endpoint, seen), _pricing(endpoint, seen)
        utc = _utc_hhmm(exchange.call.created_ms) if pricing.overrides else 0
        return on_own_key(usage, price(usage, pricing, utc_hhmm=utc))

    def _usage(self, exchange: Exchange, endpoint: Endpoint, seen: Seen) -> Usage:
        """What the upstream counted, which also teaches the estimates; else the estimates, as for the output of an answer that broke off
        before its upstream counted."""
        raw = seen.usage
        if raw is None:
            return Usage(exchange.prompt_tokens, self._estimates.tokens(endpoint.model, seen.output_chars), source="estimated")
        usage = normalise(raw, endpoint.quirks, endpoint.dialect)
        if seen.finish_reason is None and endpoint.dialect in OUTPUT_AT_END:
            return structs.replace(usage, output_total=self._estimates.tokens(endpoint.model, seen.output_chars), source="estimated")
        self._estimates.observe(
            endpoint.model,
            text_bytes=0 if exchange.request.modalities or exchange.staged is not None else exchange.request.prompt_bytes,
            prompt_tokens=usage.input_total,
            output_tokens=usage.output_total,
        )
        return usage

    def _close(
        self,
        exchange: Exchange,
        endpoint: Endpoint,
        seen: Seen,
        usage: Usage,
        cost: Cost,
        *,
        discount: int | None = None,
        cancelled: bool = False,
        status: int = 200,
        error_type: str | None = None,
    ) -> None:
        if exchange.settled:
            return
        exchange.settled = True
        evidence = evidence_of(exchange, seen)
        record = record_of(
            exchange,
            endpoint,
            seen,
            usage,
            cost,
            discount=discount,
            cancelled=cancelled,
            status=status,
            error_type=error_type,
            tool_calls=len(evidence.calls) if isinstance(evidence, ToolEvidence) else 0,
        )
        exchange.record = record
        self._recorder.record(record, evidence)
        if cost.own_key:
            self._budgets.settle(exchange.hold, usage.upstream_cost or 0, is_byok=True)
        else:
            self._budgets.settle(exchange.hold, cost.total)


def on_own_key(usage: Usage, cost: Cost) -> tuple[Usage, Cost]:
    """Usage and cost of what was charged to the caller's own credential: nothing is to be paid here, and `upstream_cost` is what the
    upstream says, else what its prices say (contract 3.11)."""
    upstream = cost.total if usage.upstream_cost is None else usage.upstream_cost
    return structs.replace(usage, upstream_cost=upstream), own_key(cost)


def _pricing(endpoint: Endpoint, seen: Seen) -> Pricing:
    """The prices of the tier that served, not of the one that was asked for (contract 3.9)."""
    tiers = endpoint.tier_pricing
    return tiers.get(seen.service_tier or "", endpoint.pricing) if tiers else endpoint.pricing


def _utc_hhmm(unix_ms: int) -> int:
    minutes = unix_ms // 60_000 % 1440
    return minutes // 60 * 100 + minutes % 60
