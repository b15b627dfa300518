"""Where connections go, and those that are kept open between requests."""

from typing import TYPE_CHECKING

from msgspec import Struct

from trunkline.transport.proxy import Proxy

if TYPE_CHECKING:
    from trunkline.transport.connection import Connection


class Origin(Struct, frozen=True):
    """What must be equal for two requests to share a connection. `operator_url` is part of it: it decides which addresses are allowed."""

    scheme: str
    host: str
    port: int
    operator_url: bool = False
    proxy: Proxy | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class Pool:
    """The connections to one origin. The one used last is used first: it is the least likely to be stale, and the surplus ages out."""

    __slots__ = ("__weakref__", "_idle", "_idle_seconds", "_max_idle", "_open", "closed", "origin")

    def __init__(self, origin: Origin, *, max_idle: int, idle_seconds: float) -> None:
        self.origin = origin
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._max_idle = max_idle
        self.closed = False
        self._idle_seconds = idle_seconds

    def take(self) -> "Connection | None":
        """An idle connection, or None."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if not connection.closed:
                return connection
        return None

    def put(self, connection: "Connection") -> None:
        """Keep a connection whose response is whole."""
        if len(self._idle) >= self._max_idle:
            connection.abort()
            return
        self._idle.append(connection)
        connection.idle_until = connection.loop.time() + self._idle_seconds
        connection.ring_by(connection.idle_until)

    def opened(self, connection: "Connection") -> None:
        self._open.add(connection)

    def lost(self, connection: "Connection") -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def close(self) -> None:
        """Close every connection, also those in use; a new one is then closed by its dialer."""
        self.closed = True
        for connection in tuple(self._open):
            connection.close()

    @property
    def open(self) -> int:
        return len(self._open)

    @property
    def idle(self) -> int:
        return sum(not connection.closed for connection in self._idle)
