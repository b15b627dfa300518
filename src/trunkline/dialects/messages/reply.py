"""A whole answer that passes through (contract 5.2): named by us, with usage and its cost, everything else as it came."""

import msgspec

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.messages.facts import Facts
from trunkline.dialects.messages.request import MessagesRequest
from trunkline.dialects.messages.stream import read, usage_json
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.usage import Cost, Usage


class MessagesReply(Facts):
    """One answer that was not streamed (`hub.translation.WholeTranslator`). `empty`: no content, and no reason why it ended."""

    def __init__(self, identity: Identity, endpoint: Endpoint, request: MessagesRequest) -> None:
        super().__init__()
        self.empty = False
        self._identity = identity
        self._message: dict[str, object] = {}

    def decode(self, body: bytes) -> None:
        """Read the upstream's body. It raises nothing: what is wrong with it is in `error`, or `empty`."""
        message = read(body, self)
        if message is not None:
            self._message = message
            self.empty = not self.bears_content and self.native_finish_reason is None

    def encode(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The client's body. `metadata` is `openrouter_metadata` as JSON."""
        identity = self._identity
        message = {
            "container": None,
            "stop_details": None,
            "stop_sequence": None,
            **self._message,
            "id": identity.id,
            "model": identity.model,
            "provider": identity.provider,
            "usage": usage_json(self, usage, cost),
        }
        if metadata is not None:
            message["openrouter_metadata"] = msgspec.Raw(metadata)
        return msgspec.json.encode(message)

    def partial(self, error: ApiError) -> bytes | None:
        """None: this dialect has no answer that failed (`encoder.MessagesEncoder.partial`)."""
        return None
