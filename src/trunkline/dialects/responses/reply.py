"""A whole response of the same dialect on its way to the client: patched at the top, its output as it came; the facts beside."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from trunkline.dialects import loose
from trunkline.dialects.hub.answer import fold
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.folded import Folded
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.responses.decoder import ResponsesDecoder
from trunkline.dialects.responses.encoder import ResponsesEncoder
from trunkline.dialects.responses.passage import Patch, last_changes
from trunkline.dialects.responses.request import ResponsesRequest
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.usage import Cost, Usage


class SeenCall(Struct, frozen=True, gc=False):
    """A tool call of an answer."""

    name: str
    arguments: str


class ResponsesReply(Folded):
    """One complete answer."""

    def __init__(self, identity: Identity, endpoint: Endpoint, request: ResponsesRequest) -> None:
        super().__init__()
        self._identity = identity
        self._request = request
        self._decoder = ResponsesDecoder(endpoint, Conversation(turns=()), seed=identity.id)
        self._patch = Patch(identity, request)
        self._body = b"{}"

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

    def partial(self, error: ApiError) -> bytes | None:
        """The failed response with what was said before the error."""
        return ResponsesEncoder(self._identity, self._request).partial(self._answer, error)
