"""Errors that are told inside of an answer: it has begun, or says something for all that, or the dialect has an answer for them."""

from collections.abc import Callable

from msgspec import Struct

from trunkline.dialects.hub.translation import WholeTranslator
from trunkline.errors import ApiError
from trunkline.inference.call import Exchange
from trunkline.inference.partial import error_of, longest_first
from trunkline.inference.reply import Reply


class Told(Struct, frozen=True):
    """A failed answer as the caller gets it; `seen` is what the upstream had said."""

    body: bytes
    error: ApiError
    seen: WholeTranslator


def best(exchange: Exchange, tell: Callable[[Exchange, ApiError], None]) -> Told | None:
    """The longest of the failed answers of an exchange, whose endpoint becomes the exchange's; None when nothing of them can be told in the
    caller's dialect. `tell` adds to an error what is known beside it."""
    last = exchange.endpoint
    for partial in longest_first(exchange.partials):
        exchange.endpoint = partial.endpoint
        error = error_of(partial, exchange.failures, exchange.request.models)
        tell(exchange, error)
        body = partial.reply.partial(error)
        if body is not None:
            return Told(body, error, partial.reply)
    exchange.endpoint = last
    return None


async def told_inside(exchange: Exchange, reply: Reply, error: ApiError) -> bool:
    """Tell an error in a stream that has begun, or by an answer that is cut short where the dialect has that for it. False: an HTTP status
    has to tell it."""
    skin, request = exchange.call.skin, exchange.request
    if not reply.started and skin.cut_short is None:
        return False
    identity = exchange.identity(exchange.endpoint or exchange.plan.attempts[0])
    cut = None if skin.cut_short is None or reply.started else skin.cut_short(identity, request, error)
    if cut is None and not reply.started:
        return False
    if cut is not None and not request.stream:
        await reply.whole(200, cut)
    else:
        await reply.write(skin.encoder(identity, request).fail(error), last=True)
    return True
