"""How a request of one dialect reaches an endpoint of one, and how the answer comes back.

The same dialect on both sides is a passage: top-level keys are spliced, everything else keeps its bytes. Different dialects are a
translation by way of `dialects.hub`. Which of the two it is, is decided for each attempt (docs/architecture.md, decision 3).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from msgspec import Struct

from trunkline.dialects.chat import address as chat_address
from trunkline.dialects.chat import compose as chat_compose
from trunkline.dialects.chat import prepare as chat_prepare
from trunkline.dialects.chat.decoder import ChatDecoder
from trunkline.dialects.chat.reply import ChatReply
from trunkline.dialects.chat.stream import ChatStream
from trunkline.dialects.cohere import address as cohere_address
from trunkline.dialects.cohere import compose as cohere_compose
from trunkline.dialects.cohere.decoder import CohereDecoder
from trunkline.dialects.converse import address as converse_address
from trunkline.dialects.converse import compose as converse_compose
from trunkline.dialects.converse import content as converse_content
from trunkline.dialects.converse.decoder import ConverseDecoder
from trunkline.dialects.converse.frames import Frames
from trunkline.dialects.gemini import address as gemini_address
from trunkline.dialects.gemini import compose as gemini_compose
from trunkline.dialects.gemini import parts as gemini_parts
from trunkline.dialects.gemini.decoder import GeminiDecoder
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.translation import Decoder, Encoder, Identity, StreamTranslator, WholeTranslator
from trunkline.dialects.messages import address as messages_address
from trunkline.dialects.messages import betas as messages_betas
from trunkline.dialects.messages import compose as messages_compose
from trunkline.dialects.messages import prepare as messages_prepare
from trunkline.dialects.messages.decoder import MessagesDecoder
from trunkline.dialects.messages.reply import MessagesReply
from trunkline.dialects.messages.stream import MessagesStream
from trunkline.dialects.responses import address as responses_address
from trunkline.dialects.responses import compose as responses_compose
from trunkline.dialects.responses import prepare as responses_prepare
from trunkline.dialects.responses.decoder import ResponsesDecoder
from trunkline.dialects.responses.reply import ResponsesReply
from trunkline.dialects.responses.stream import ResponsesStream
from trunkline.inference.call import Exchange
from trunkline.inference.overheard import OverheardReply, OverheardStream
from trunkline.inference.translated import TranslatedReply, TranslatedStream
from trunkline.protocol.catalogue import Dialect, Endpoint
from trunkline.protocol.quirks import Quirks
from trunkline.transport.sse import EventSplitter

FORM: Final = "response_format"
"""Among the parameters of a request: the answer is to have a form, by which it will be judged."""
_NO_TURNS: Final = Conversation(turns=())


class Splitter(Protocol):
    """Cuts the bytes of a stream into the payloads of its events."""

    def feed(self, data: bytes) -> list[bytes]: ...

    def close(self) -> list[bytes]: ...


class Composes(Protocol):
    """Writes upstream bodies for one endpoint."""

    def compose(self, conversation: Conversation) -> bytes: ...


class Splices(Protocol):
    """Rewrites the bodies of one dialect for one endpoint of it."""

    def splice(self, request: Any) -> bytes: ...


class Outbound(Struct, frozen=True):
    """An upstream dialect: where its calls go, who writes its bodies, who reads its answers, and how its streams are framed. `fetches`
    tells of a URL in a request whether the upstream wants the bytes behind it instead; `forwarded`: which of a call's headers go on to an
    endpoint; `left_out`: which parameters an endpoint cannot get beside the rest of a conversation, where that depends on it."""

    url: Callable[..., str]
    composer: Callable[[Endpoint], Composes]
    decoder: Callable[..., Decoder]
    headers: Mapping[str, str] = {}
    splitter: Callable[[], Splitter] = EventSplitter
    fetches: Callable[[str], bool] | None = None
    forwarded: Callable[[Mapping[bytes, bytes], Quirks], Mapping[str, str]] | None = None
    left_out: Callable[[Endpoint, Conversation], frozenset[str]] | None = None


class Passage(Struct, frozen=True):
    """A dialect spoken on both sides."""

    splicer: Callable[[Endpoint], Splices]
    stream: Callable[[Identity, Endpoint, Any], StreamTranslator]
    reply: Callable[[Identity, Endpoint, Any], WholeTranslator]


class Way(Protocol):
    """How requests of one dialect reach one endpoint. `fetches`: see `Outbound`; None where URLs go as they are."""

    fetches: Callable[[str], bool] | None

    def body(self, exchange: Exchange) -> bytes:
        """The upstream body. Raises ApiError for a request that the endpoint's dialect cannot express."""

    def stream(self, exchange: Exchange) -> StreamTranslator:
        """Who reads and writes a streamed answer."""

    def reply(self, exchange: Exchange) -> WholeTranslator:
        """Who reads and writes a complete answer."""

    def splitter(self) -> Splitter:
        """Who cuts the stream into events."""


class PassThrough:
    """The same dialect on both sides."""

    def __init__(self, endpoint: Endpoint, passage: Passage) -> None:
        self.fetches: Callable[[str], bool] | None = None
        self._endpoint = endpoint
        self._passage = passage
        self._splicer = passage.splicer(endpoint)
        self._decoder = OUTBOUND[endpoint.dialect].decoder

    def body(self, exchange: Exchange) -> bytes:
        """The caller's body, spliced."""
        return self._splicer.splice(exchange.request)

    def stream(self, exchange: Exchange) -> StreamTranslator:
        """A light patch of each event."""
        stream = self._passage.stream(exchange.identity(self._endpoint), self._endpoint, exchange.request)
        return OverheardStream(stream, self._again(exchange)) if FORM in exchange.request.parameters else stream

    def reply(self, exchange: Exchange) -> WholeTranslator:
        """A light patch of the body."""
        reply = self._passage.reply(exchange.identity(self._endpoint), self._endpoint, exchange.request)
        return OverheardReply(reply, self._again(exchange)) if FORM in exchange.request.parameters else reply

    def splitter(self) -> Splitter:
        """Dialects that pass through are framed as server-sent events."""
        return EventSplitter()

    def _again(self, exchange: Exchange) -> Decoder:
        """Who reads the answer beside, for its text."""
        return self._decoder(self._endpoint, _NO_TURNS, seed=exchange.call.id_text)


class Translation:
    """Two dialects, by way of the hub. A decoder and an encoder serve streamed and whole answers alike."""

    def __init__(self, endpoint: Endpoint, outbound: Outbound) -> None:
        self.fetches = outbound.fetches
        self._endpoint = endpoint
        self._outbound = outbound
        self._composer = outbound.composer(endpoint)

    def body(self, exchange: Exchange) -> bytes:
        """The conversation in the endpoint's dialect."""
        return self._composer.compose(exchange.conversation())

    def stream(self, exchange: Exchange) -> StreamTranslator:
        """Decode, fold beside, encode."""
        return TranslatedStream(self._decoder(exchange), self._encoder(exchange))

    def reply(self, exchange: Exchange) -> WholeTranslator:
        """Decode, fold, encode."""
        return TranslatedReply(self._decoder(exchange), self._encoder(exchange))

    def splitter(self) -> Splitter:
        """What cuts this dialect's streams."""
        return self._outbound.splitter()

    def _decoder(self, exchange: Exchange) -> Decoder:
        return self._outbound.decoder(self._endpoint, exchange.conversation(), seed=exchange.call.id_text)

    def _encoder(self, exchange: Exchange) -> Encoder:
        encoder = exchange.call.skin.encoder(exchange.identity(self._endpoint), exchange.request)
        return encoder if exchange.staged is None else exchange.staged.encoder(encoder, exchange.request, self._endpoint)


def way(dialect: Dialect, endpoint: Endpoint) -> Way:
    """How requests of a client dialect reach an endpoint."""
    if dialect == endpoint.dialect:
        return PassThrough(endpoint, PASSAGES[dialect])
    return translation(endpoint)


def translation(endpoint: Endpoint) -> Way:
    """How requests free of any dialect reach an endpoint."""
    return Translation(endpoint, OUTBOUND[endpoint.dialect])


OUTBOUND: Final[Mapping[Dialect, Outbound]] = {
    "chat": Outbound(chat_address.url, chat_compose.Composer, ChatDecoder, chat_address.HEADERS),
    "responses": Outbound(responses_address.url, responses_compose.Composer, ResponsesDecoder, responses_address.HEADERS),
    "messages": Outbound(
        messages_address.url,
        messages_compose.Composer,
        MessagesDecoder,
        messages_address.HEADERS,
        forwarded=messages_betas.forwarded,
        left_out=messages_compose.left_out,
    ),
    "gemini": Outbound(
        gemini_address.url, gemini_compose.Composer, GeminiDecoder, gemini_address.HEADERS, fetches=gemini_parts.must_be_fetched
    ),
    "converse": Outbound(
        converse_address.url,
        converse_compose.Composer,
        ConverseDecoder,
        converse_address.HEADERS,
        Frames,
        converse_content.must_be_fetched,
        left_out=converse_compose.left_out,
    ),
    "cohere": Outbound(cohere_address.url, cohere_compose.Composer, CohereDecoder, cohere_address.HEADERS),
}
"""The dialects of upstreams."""

PASSAGES: Final[Mapping[Dialect, Passage]] = {
    "chat": Passage(chat_prepare.Splicer, ChatStream.of, ChatReply.of),
    "responses": Passage(responses_prepare.Splicer, ResponsesStream, ResponsesReply),
    "messages": Passage(messages_prepare.Splicer, MessagesStream, MessagesReply),
}
"""The dialects of both sides."""
