"""Answers that the gateway makes itself, without any upstream: they cost nothing (contract 3.7, `openrouter/bodybuilder`)."""

from collections.abc import Sequence
from typing import Final

from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event, Finish, Start, UsageSeen
from trunkline.inference.call import Call, Exchange
from trunkline.inference.ledger import Ledger
from trunkline.inference.reply import Reply
from trunkline.inference.translated import TranslatedReply, TranslatedStream
from trunkline.limits.account import Hold
from trunkline.protocol.catalogue import Endpoint, Pricing
from trunkline.protocol.principal import Principal
from trunkline.protocol.request import Chosen, InboundRequest
from trunkline.protocol.routing import Plan

PROVIDER: Final = "Trunkline"
_NO_TOKENS: Final = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


class Said:
    """A text as an upstream's answer (`dialects.hub.translation.Decoder`)."""

    done = True

    def __init__(self, text: str) -> None:
        self._events: list[Event] = [
            Start(),
            BlockStart(0),
            Delta(0, "text", text),
            BlockStop(0),
            UsageSeen(dict(_NO_TOKENS)),
            Finish("stop", "stop"),
        ]

    def feed(self, _payloads: Sequence[bytes]) -> list[Event]:
        """All of it."""
        return self._events

    def close(self) -> list[Event]:
        """Nothing is held back."""
        return []

    def whole(self, _body: bytes) -> list[Event]:
        """All of it."""
        return self._events


def endpoint_of(chosen: Chosen) -> Endpoint:
    """This server, as the endpoint of what a router answers."""
    return Endpoint(
        id=f"{chosen.router}@trunkline",
        model=chosen.router,
        provider="trunkline",
        provider_name=PROVIDER,
        tag="trunkline",
        dialect="chat",
        base_url="",
        upstream_model="",
        pricing=Pricing(),
    )


def exchange_of(call: Call, principal: Principal, request: InboundRequest, chosen: Chosen) -> Exchange:
    """The exchange of a request that a router answers: its one endpoint is this server."""
    endpoint = endpoint_of(chosen)
    exchange = Exchange(call, principal, request, Plan((endpoint,)), Hold(), 0)
    exchange.endpoint = endpoint
    return exchange


async def answer(exchange: Exchange, reply: Reply, ledger: Ledger, metadata: bytes | None) -> None:
    """Give the text of the exchange's router in the client's dialect, and record it. `metadata` is `openrouter_metadata`, if wanted."""
    request, endpoint = exchange.request, exchange.plan.attempts[0]
    assert request.chosen is not None  # noqa: S101 - the pipeline has seen its answer
    said = Said(request.chosen.answer or "")
    encoder = exchange.call.skin.encoder(exchange.identity(endpoint), request)
    if request.stream:
        stream = TranslatedStream(said, encoder)
        content = stream.feed(())
        usage, cost = ledger.succeed(exchange, endpoint, stream)
        await reply.write(content + stream.finish(usage, cost, metadata=metadata), last=True)
        return
    whole = TranslatedReply(said, encoder)
    whole.decode(b"")
    usage, cost = ledger.succeed(exchange, endpoint, whole)
    await reply.whole(200, whole.encode(usage, cost, metadata=metadata))
