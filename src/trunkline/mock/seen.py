"""What the mock saw: every request with its headers and body, what was sent back, and when the client left."""

from collections import deque
from collections.abc import Sequence

import msgspec
from msgspec import Struct


class Seen(Struct, kw_only=True):
    """One request. `at`: Unix seconds. `bytes_sent`: bytes of the response given to the socket. `ended`: the whole response was given to
    it.

    `aborted`: the client closed before that; `closed_ms`: milliseconds from the request to that moment. `connection`: number of the TCP
    connection. `dialect`: a name of `dialects.DIALECTS`; `refused`: what the mock itself had against the request.
    """

    number: int
    at: float
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: msgspec.Raw | str
    connection: int = 0
    dialect: str = ""
    model: str = ""
    rule: str = ""
    spell: str = ""
    fault: str = ""
    refused: str = ""
    bytes_sent: int = 0
    ended: bool = False
    aborted: bool = False
    closed_ms: float | None = None

    def header(self, name: str) -> str | None:
        """The first header of that name (lower case), None when absent."""
        return next((value for key, value in self.headers if key == name), None)

    def json(self) -> dict[str, object]:
        """The body as a JSON object. Raises ValueError if it is none."""
        body = msgspec.json.decode(self.body if isinstance(self.body, msgspec.Raw) else self.body.encode())
        if not isinstance(body, dict):
            raise ValueError("the body is not a JSON object")
        return body


def body_of(data: bytes) -> msgspec.Raw | str:
    """A body as JSON when it is JSON, else as text, so that both show well in `GET /_mock/seen`."""
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return data.decode("utf-8", "backslashreplace")
    return msgspec.Raw(data)


class Ledger:
    """The last `limit` requests, and the count of all."""

    def __init__(self, limit: int = 2000) -> None:
        self.total = 0
        self._requests: deque[Seen] = deque(maxlen=limit)

    def add(self, seen: Seen) -> None:
        self.total += 1
        self._requests.append(seen)

    @property
    def requests(self) -> Sequence[Seen]:
        return tuple(self._requests)

    def clear(self) -> None:
        self.total = 0
        self._requests.clear()

    def encode(self) -> bytes:
        """`{"total", "requests": [...]}` as JSON."""
        return msgspec.json.encode({"total": self.total, "requests": list(self._requests)})
