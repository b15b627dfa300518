"""Recorded answers through the gateway's own ways, without sockets: upstream bytes in, client bytes out."""

from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import Any

from cassettes import Recording
from client_side import CLIENTS
from endpoints import PLAIN
from msgspec.structs import replace
from pipelines import USER

from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.events import Event
from trunkline.dialects.hub.translation import Seen
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.skins import SKINS
from trunkline.inference.ways import OUTBOUND, Way, way
from trunkline.limits.account import Hold
from trunkline.metering.usage import normalise
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.usage import Cost, Usage
from trunkline.providers.records import built_in

SLUGS = {"google": "google-ai-studio", "bedrock": "amazon-bedrock"}
"""Where the recordings name a provider otherwise than its table does."""


@cache
def providers() -> dict[str, Any]:
    """The providers that come with Trunkline; the addresses that an operator would give are of no use here."""
    return built_in(dict.fromkeys(("OLLAMA_BASE_URL", "SNOWFLAKE_CORTEX_BASE_URL"), "http://x.test"))


def endpoint(recording: Recording) -> Endpoint:
    """An endpoint like the one that was recorded, with the quirks that the provider's own table has for this dialect."""
    known = providers().get(SLUGS.get(recording.provider, recording.provider))
    quirks = known.quirks if known is not None and known.dialect == recording.dialect else Quirks()
    return replace(PLAIN, dialect=recording.dialect, quirks=quirks)


def exchange(client: str, *, stream: bool) -> Exchange:
    """A small request of a client's dialect, admitted."""
    speaks = CLIENTS[client]
    body = speaks.body(stream=stream)
    skin = SKINS[speaks.path]
    call = Call({}, body, Mint(), skin)
    return Exchange(call, USER, skin.parse(body), None, Hold(), 10)  # type: ignore[arg-type]  # nothing is planned here


def route(recording: Recording, client: str) -> Way:
    """The way from a client's dialect to the recorded endpoint."""
    return way(client, endpoint(recording))  # type: ignore[arg-type]


def account(seen: Seen, recording: Recording) -> tuple[Usage, Cost]:
    """What was used, as the ledger reads it."""
    where = endpoint(recording)
    return normalise(seen.usage or {}, where.quirks, where.dialect), Cost()


def whole(recording: Recording, client: str) -> bytes:
    """The client's body for a whole answer."""
    reply = route(recording, client).reply(exchange(client, stream=False))
    reply.decode(recording.data)
    if reply.error is not None:
        raise reply.error
    assert not reply.empty
    return reply.encode(*account(reply, recording))


def streamed(recording: Recording, client: str, size: int = 1 << 20) -> bytes:
    """The client's stream for a recorded stream that comes in reads of `size` bytes, or for a body that came in place of one."""
    there = route(recording, client)
    stream = there.stream(exchange(client, stream=True))
    out = []
    if recording.streamed:
        splitter, data = there.splitter(), recording.data
        out.extend(stream.feed(splitter.feed(data[start : start + size])) for start in range(0, len(data), size))
        if not stream.done:
            out.extend((stream.feed(splitter.close()), stream.end()))
    else:
        out.append(stream.unstreamed(recording.data))
    if stream.error is not None:
        raise stream.error
    assert stream.committed
    assert stream.finish_reason is not None
    return b"".join((*out, stream.finish(*account(stream, recording))))


def events(recording: Recording, cuts: Iterable[int] = ()) -> list[Event]:
    """The events of a recorded stream that comes in the pieces between these offsets."""
    outbound = OUTBOUND[recording.dialect]  # type: ignore[index]
    splitter = outbound.splitter()
    decoder = outbound.decoder(endpoint(recording), Conversation(turns=()), seed="s")
    found: list[Event] = []
    data = recording.data
    for start, end in pairwise([0, *cuts, len(data)]):
        found.extend(decoder.feed(splitter.feed(data[start:end])))
    return [*found, *decoder.feed(splitter.close()), *decoder.close()]


def answer(recording: Recording) -> Answer:
    """The fold of a recorded answer."""
    if recording.streamed:
        return fold(events(recording))
    decoder = OUTBOUND[recording.dialect].decoder(endpoint(recording), Conversation(turns=()), seed="s")  # type: ignore[index]
    return fold(decoder.whole(recording.data))
