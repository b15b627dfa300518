"""What a streamed and a whole answer that stay in this dialect begin with."""

from typing import Final, Self

from trunkline.dialects.chat.request import ChatRequest
from trunkline.dialects.chat.tools import forced_name
from trunkline.dialects.hub.translation import Identity
from trunkline.errors import UpstreamError
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.quirks import Quirks

LEAD: Final = ("id", "object", "created", "model", "provider")
"""The keys that come first in what goes out; their values are `_identity`."""


class Translator:
    """The facts that are read beside an answer: `usage` (the raw object), `upstream_id`, `service_tier`, and `error`, what came instead.

    `forced_tool` is `Splicer.forced_tool(request)`; `legacy` is "text" for text completions, and `kind` the value of `object` otherwise.
    """

    kind = ""
    usage: dict[str, object] | None = None
    upstream_id: str | None = None
    service_tier: str | None = None
    error: UpstreamError | None = None

    def _begin(self) -> None:
        """The rest of the constructor: what only one of the two has."""

    def __init__(
        self,
        generation_id: str,
        model: str,
        provider: str,
        created: int,
        quirks: Quirks,
        *,
        legacy: str = "",
        reasoning_excluded: bool = False,
        forced_tool: str | None = None,
    ) -> None:
        self._quirks = quirks
        self._excluded = reasoning_excluded
        self._forced_tool = forced_tool
        self._legacy = legacy == "text"
        self._generation_id = generation_id
        self._identity = (generation_id, "text_completion" if self._legacy else self.kind, created, model, provider)
        self._plain_ones = not (self._legacy or forced_tool is not None or quirks.reasoning_out == "tags") and quirks.usage_path == "usage"
        self._begin()

    @classmethod
    def of(cls, identity: Identity, endpoint: Endpoint, request: ChatRequest, *, forced_tool: str | None = None) -> Self:
        """The translator of an answer to `request` from `endpoint`; `forced_tool` is found out where it is not given."""
        if forced_tool is None and endpoint.quirks.tools == "schema":
            forced_tool = forced_name(request)
        return cls(
            identity.id,
            identity.model,
            identity.provider,
            identity.created,
            endpoint.quirks,
            legacy=request.legacy,
            reasoning_excluded=request.reasoning_excluded,
            forced_tool=forced_tool,
        )
