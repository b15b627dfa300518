"""One worker: the ASGI application under uvicorn, in this process, on a socket that may be shared with other workers."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import uvicorn
from uvicorn.server import ServerState

from trunkline.api.connection import Connection, Places
from trunkline.api.inference import InferenceRoute
from trunkline.api.wire import Dates
from trunkline.app.asgi import AsgiConnection
from trunkline.app.dispatch import Dispatcher

GRACE_SECONDS = 30
KEEP_ALIVE_SECONDS = 75
BACKLOG = 2048

logger = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """uvicorn with our signals: SIGTERM and SIGINT finish streams for up to 30 s and exit 0; SIGHUP reloads."""

    def __init__(self, config: uvicorn.Config, reload: Callable[[], None], ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._reload = reload
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals on the loop, and do not raise them again after a clean end (uvicorn's own method would)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start serving, then say so."""
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._ready()


class Lanes:
    """Makes the protocol of each accepted connection: our own, which hands over to uvicorn's whatever is no inference request."""

    def __init__(self, routes: Mapping[str, InferenceRoute]) -> None:
        self._routes = routes
        self._places: Places | None = None

    def __call__(self, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None) -> asyncio.Protocol:
        """The factory that uvicorn calls for each connection, with what its own protocol needs."""
        if self._places is None:
            dates = Dates()

            def fallback() -> asyncio.Protocol:
                return AsgiConnection(config, server_state, app_state, dates)

            self._places = Places(self._routes, fallback, server_state.connections, server_state.tasks)
        return Connection(self._places)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, inheritable by workers. Raises OSError when the address cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.set_inheritable(True)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def run(application: Dispatcher, listener: socket.socket, *, reload: Callable[[], None], ready: Callable[[], None]) -> int:
    """Serve until told to stop. Returns the exit code: 0 after a clean end, 1 when start-up failed."""
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http=cast(type[asyncio.Protocol], Lanes(application.inference)),
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=BACKLOG,
    )
    server = Server(config, reload, ready)
    try:
        server.run(sockets=[listener])
    except SystemExit:
        return 1
    return 0 if server.started else 1
