"""Answers of the same dialect on their way through: the few keys of a response object that become the gateway's own."""

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.responses.document import document
from trunkline.dialects.responses.request import ResponsesRequest
from trunkline.dialects.responses.usage import usage_view
from trunkline.protocol.usage import Cost, Usage

Response = dict[str, Raw]

_OWN = (
    "id",
    "model",
    "provider",
    "created_at",
    "metadata",
    "safety_identifier",
    "prompt_cache_key",
    "user",
    "store",
    "previous_response_id",
)
"""Keys that say what the gateway says: who answered, and what the caller sent of what the upstream was not told."""

_HIDDEN = frozenset(("billing",))
"""Keys about the operator's account."""

_KEYS = msgspec.json.Decoder(Response)
_encode = msgspec.json.Encoder().encode


class Patch:
    """Rewrites the response objects of one answer; what it does not name keeps its bytes and its place."""

    def __init__(self, identity: Identity, request: ResponsesRequest) -> None:
        begun = document(identity, request)
        self.begun = begun
        self._defaults: dict[str, Raw] = {key: Raw(_encode(value)) for key, value in begun.items()}
        self._own = {key: self._defaults[key] for key in _OWN}

    def apply(self, response: Raw | bytes, changes: dict[str, object] | None = None) -> Raw:
        """A response object as the caller gets it, with every key that SDKs demand and with `changes` of ours.

        Raises msgspec.MsgspecError for what is no object.
        """
        given = {key: value for key, value in _KEYS.decode(response).items() if key not in _HIDDEN}
        return Raw(_encode({**self._defaults, **given, **self._own, **(changes or {})}))


def last_changes(usage: Usage, cost: Cost, metadata: bytes | None) -> dict[str, object]:
    """What the end of an answer adds: usage with its cost, and `openrouter_metadata` as JSON."""
    changes: dict[str, object] = {"usage": usage_view(usage, cost)}
    if metadata is not None:
        changes["openrouter_metadata"] = Raw(metadata)
    return changes
