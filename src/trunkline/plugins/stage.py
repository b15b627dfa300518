"""What a stage is, and the note it leaves."""

from typing import Literal, Protocol

from msgspec import Struct

from trunkline.dialects.hub.answer import Answer
from trunkline.dialects.hub.conversation import Conversation
from trunkline.protocol.catalogue import Endpoint


class Note(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one stage did: an entry of `pipeline[]` (contract 2.13). Only stages that did something leave one."""

    type: Literal["guardrail", "plugin", "server_tools", "response_healing", "context_compression"]
    name: str
    summary: str | None = None
    data: dict[str, object] | None = None
    cost_usd: float | None = None
    guardrail_id: str | None = None
    guardrail_scope: str | None = None


class Stage(Protocol):
    """One step before and after a call, without I/O. `revises`: it may change the answer, so that the answer must be read whole."""

    revises: bool

    def before(self, conversation: Conversation, endpoint: Endpoint) -> tuple[Conversation, Note | None]:
        """The conversation for an endpoint; the same object where nothing is to be changed."""

    def after(self, answer: Answer) -> tuple[Answer, Note | None]:
        """The answer as the client gets it."""
