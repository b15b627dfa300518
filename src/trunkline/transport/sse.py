"""Server-sent events: bytes in, payloads out (WHATWG HTML, 9.2.6 "Interpreting an event stream"). Pure, and fast for the common shape.

The common shape is one `data: ` line and an empty line, line ends LF; whatever else the standard allows takes the slower road: CRLF and CR,
comments, several `data` lines, `data:` without a space, other fields, a BOM, and a cut at any byte.
"""

from collections.abc import Iterable

from trunkline.errors import ResponseTooLarge

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""A picture in base64 is one event of some megabytes."""
_BOM = b"\xef\xbb\xbf"


class EventSplitter:
    """One event stream. `limit` is the largest event in bytes, field names and comments included.

    Events without data are not reported: providers use them as heartbeats.
    """

    __slots__ = ("_after_cr", "_held", "_held_size", "_limit", "_started")

    def __init__(self, *, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._held: list[bytes] = []
        self._held_size = 0
        self._after_cr = False
        self._started = False

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads (`data` lines joined by LF) of the events that `data` completes. Raises ResponseTooLarge for one over the limit."""
        if not self._started:
            data = self._start(data)
        if self._after_cr or b"\r" in data:
            data = self._with_line_feeds(data)
        if b"\n" not in data:
            self._hold(data)
            return []
        if self._held:
            data = self._release() + data
        end = data.rfind(b"\n\n")
        if end < 0:
            self._hold(data)
            return []
        self._hold(data[end + 2 :])
        return self._payloads(data[:end])

    def _payloads(self, events: bytes) -> list[bytes]:
        """The payloads of whole events. When each is one `data: ` line, one split cuts them, and counting the line ends proves it."""
        if events.startswith(b"data: ") and len(events) <= self._limit:
            payloads = events[6:].split(b"\n\ndata: ")
            if events.count(b"\n") == 2 * len(payloads) - 2 and b"" not in payloads:
                return payloads
        blocks = events.split(b"\n\n")
        self._check(map(len, blocks))
        return [payload for block in blocks if (payload := _payload(block))]

    def close(self) -> list[bytes]:
        """The payload of a last event that no empty line ended: the standard drops it, but providers are known to forget that line."""
        payload = _payload(self._release())
        return [payload] if payload else []

    def _start(self, data: bytes) -> bytes:
        """Skip a byte order mark, which may be cut as well: until the first bytes are known to be none, they are held back."""
        data = self._release() + data
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._hold(data)
            return b""
        self._started = True
        return data.removeprefix(_BOM)

    def _with_line_feeds(self, data: bytes) -> bytes:
        """Turn CRLF and CR into LF. A CR at the end of `data` counts at once; an LF that then follows belongs to it."""
        if not data:
            return data
        if self._after_cr:
            data = data.removeprefix(b"\n")
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _hold(self, data: bytes) -> None:
        """Keep the start of an event in pieces: joining at every read would cost the square of its length."""
        if data:
            self._held.append(data)
            self._held_size += len(data)
            if self._held_size > self._limit + 2:
                self._check((self._held_size,))

    def _release(self) -> bytes:
        data = b"".join(self._held)
        self._held.clear()
        self._held_size = 0
        return data

    def _check(self, sizes: Iterable[int]) -> None:
        if max(sizes, default=0) > self._limit:
            raise ResponseTooLarge(f"an event of the stream is larger than {self._limit} bytes")


def _payload(block: bytes) -> bytes:
    """The joined `data` lines of one event; the other fields carry nothing that an upstream's payload does not say itself."""
    lines = []
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        if name == b"data":
            lines.append(value.removeprefix(b" "))
    return b"\n".join(lines)
