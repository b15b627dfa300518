"""What is known of an answer to an operation beside chat, for the ledger and the record, and how it becomes the client's body."""

from collections.abc import Callable, Sequence

from trunkline.dialects.hub.translation import SeenCall
from trunkline.dialects.oneshot import Result
from trunkline.errors import ApiError, UpstreamError
from trunkline.protocol.usage import Cost, Units, Usage

Write = Callable[[Result, Usage, Cost], bytes]


class Measured:
    """Facts of an answer (`dialects.hub.translation.Seen`), beside tokens its `units`. Operations have no tools and no tiers."""

    service_tier: str | None = None
    error: UpstreamError | None = None
    native_finish_reason: str | None = None
    output_chars: int = 0
    tool_calls: Sequence[SeenCall] = ()

    def __init__(self, result: Result, *, finish_reason: str | None = "stop") -> None:
        self.usage = None if result.usage is None else dict(result.usage)
        self.units: Units = result.units
        self.upstream_id = result.id
        self.finish_reason = finish_reason


class Answered(Measured):
    """A whole answer. `write` makes the client's body."""

    empty = False

    def __init__(self, result: Result, write: Write) -> None:
        super().__init__(result)
        self._result = result
        self._write = write

    def decode(self, body: bytes) -> None:
        """A result is read before it comes here."""

    def encode(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The client's body."""
        return self._write(self._result, usage, cost)

    def partial(self, error: ApiError) -> bytes | None:
        """None: a result is there, or it is not."""
        return None
