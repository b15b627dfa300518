"""What a handler gets and gives, without the web framework: a call that is authenticated and read, and a reply of ready bytes."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from trunkline.api.routes import Operation
from trunkline.errors import ApiError
from trunkline.protocol.principal import Principal

JSON = "application/json"

_encode = msgspec.json.Encoder().encode


class Call(Struct, frozen=True, kw_only=True):
    """One request to an operation. `path` holds the parameters of the path; header names are lower case; `body` is at most 64 KB."""

    operation: Operation
    principal: Principal | None = None
    path: Mapping[str, str] = {}
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = {}
    body: bytes = b""

    @property
    def caller(self) -> Principal:
        """Who calls an operation that takes a credential. Raises ApiError `authentication` when nobody is known."""
        if self.principal is None:
            raise ApiError("authentication", "Missing Authentication header")
        return self.principal


class Reply(Struct, frozen=True):
    """An answer. `body` is already encoded."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = JSON


def reply(value: object, *, status: int = 200) -> Reply:
    """`value` as a JSON reply."""
    return Reply(_encode(value), status)
