"""A whole response of the same dialect on its way to the client: patched at the top, its output as it came; the facts beside."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from trunkline.dialects import loose
from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.responses.decoder import ResponsesDecoder
from trunkline.dialects.responses.passage import Patch, last_changes
from trunkline.dialects.responses.request import ResponsesRequest
from trunkline.errors import UpstreamError
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.usage import Cost, Usage


class SeenCall(Struct, frozen=True, gc=False):
    """A tool call of an answer."""

    name: str
    arguments: str


class ResponsesReply:
    """One complete answer."""

    def __init__(self, identity: Identity, endpoint: Endpoint, request: ResponsesRequest) -> None:
        self._decoder = ResponsesDecoder(endpoint, Conversation(turns=()), seed=identity.id)
        self._patch = Patch(identity, request)
        self._answer = Answer()
        self._body = b"{}"

    @property
    def usage(self) -> dict[str, object] | None:
        return self._answer.usage

    @property
    def upstream_id(self) -> str | None:
        return self._answer.id

    @property
    def service_tier(self) -> str | None:
        return self._answer.service_tier

    @property
    def error(self) -> UpstreamError | None:
        return self._answer.error

    @property
    def finish_reason(self) -> str | None:
        return None if self._answer.finish is None else self._answer.finish.reason

    @property
    def native_finish_reason(self) -> str | None:
        return None if self._answer.finish is None else self._answer.finish.native

    @property
    def output_chars(self) -> int:
        return self._answer.output_chars

    @property
    def tool_calls(self) -> Sequence[SeenCall]:
        return [SeenCall(block.name, block.joined("arguments")) for block in self._answer.tool_calls if not block.custom]

    @property
    def empty(self) -> bool:
        """No content, and no account of an end that would explain it."""
        return not self._answer.has_content and self.native_finish_reason in (None, "completed") and not self._answer.usage

    def decode(self, body: bytes) -> None:
        """Read the upstream's body; what is wrong with it is in `error`, or `empty`."""
        self._answer = fold(self._decoder.whole(body))
        if self._answer.error is None:
            self._body = body

    def encode(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The client's body."""
        changes = last_changes(usage, cost, metadata)
        try:
            return bytes(self._patch.apply(self._body, changes))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return bytes(self._patch.apply(loose.strict(self._body), changes))
