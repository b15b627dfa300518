"""The dialects that clients speak, as data: how a request is read, how an error is told, and who writes a translated answer.

A skin is one operation's client side. What it shares with the endpoint's dialect passes through (`ways.PASSAGES`), the rest goes by way of
`dialects.hub`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from trunkline.dialects.chat import cursor
from trunkline.dialects.chat import echo as chat_echo
from trunkline.dialects.chat import envelope as chat_envelope
from trunkline.dialects.chat import request as chat_request
from trunkline.dialects.chat import turns as chat_turns
from trunkline.dialects.chat.encoder import ChatEncoder
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.translation import Encoder, Identity
from trunkline.dialects.messages import envelope as messages_envelope
from trunkline.dialects.messages import request as messages_request
from trunkline.dialects.messages import turns as messages_turns
from trunkline.dialects.messages.encoder import MessagesEncoder
from trunkline.dialects.responses import document as responses_document
from trunkline.dialects.responses import echo as responses_echo
from trunkline.dialects.responses import envelope as responses_envelope
from trunkline.dialects.responses import request as responses_request
from trunkline.dialects.responses import turns as responses_turns
from trunkline.dialects.responses.encoder import ResponsesEncoder
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Dialect
from trunkline.protocol.request import InboundRequest


class Skin(Struct, frozen=True):
    """One client side. `parse` raises ApiError that names the field; `render` writes the body of an error; `conversation` and `encoder` get
    the request that `parse` made. `api_type` is what records say (contract 5.10). `echo` writes the event that shows the upstream body to
    callers who debug, where the dialect has one. `cut_short` writes the body of an answer in place of an error that this dialect tells as
    one, None for other errors."""

    dialect: Dialect
    parse: Callable[[bytes], InboundRequest]
    render: Callable[..., bytes]
    conversation: Callable[[Any], Conversation]
    encoder: Callable[[Identity, Any], Encoder]
    api_type: str = "completions"
    echo: Callable[[Identity, bytes], bytes] | None = None
    cut_short: Callable[[Identity, Any, ApiError], bytes | None] | None = None


CHAT: Final = Skin("chat", chat_request.parse, chat_envelope.render, chat_turns.conversation, ChatEncoder, echo=chat_echo.chunk)
TEXT: Final = Skin(
    "chat", chat_request.parse_completion, chat_envelope.render, chat_turns.conversation, ChatEncoder, echo=chat_echo.text_chunk
)
CURSOR: Final = Skin("chat", cursor.parse, chat_envelope.render, chat_turns.conversation, ChatEncoder, echo=chat_echo.chunk)
RESPONSES: Final = Skin(
    "responses",
    responses_request.parse,
    responses_envelope.render,
    responses_turns.conversation,
    ResponsesEncoder,
    echo=responses_echo.event,
    cut_short=responses_document.cut_short,
)
MESSAGES: Final = Skin("messages", messages_request.parse, messages_envelope.render, messages_turns.conversation, MessagesEncoder)

SKINS: Final[Mapping[str, Skin]] = {
    "/api/v1/chat/completions": CHAT,
    "/api/v1/completions": TEXT,
    "/api/v1/cursor": CURSOR,
    "/api/v1/cursor/chat/completions": CURSOR,
    "/api/v1/responses": RESPONSES,
    "/api/v1/messages": MESSAGES,
}
"""The skin of each operation, by its path."""

CONVERSATIONS: Final[Mapping[str, Skin]] = {"chat": CHAT, "completions": TEXT, "messages": MESSAGES, "responses": RESPONSES}
"""The skins by the names that callers know them by."""
