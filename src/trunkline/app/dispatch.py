"""The ASGI application: inference paths go straight to their bare callables, all else to the web framework."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from trunkline.api import cors
from trunkline.api.inference import InferenceRoute
from trunkline.inference.reply import Receive, Send

Scope = Any
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class Dispatcher:
    """Routes by exact path. `start` and `stop` run in the ASGI lifespan of each worker."""

    def __init__(
        self, inference: Mapping[str, InferenceRoute], site: Asgi, start: Callable[[], Awaitable[None]], stop: Callable[[], Awaitable[None]]
    ) -> None:
        self.inference = inference
        self._site = site
        self._start = start
        self._stop = stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection (ASGI 3: http or lifespan; a websocket is refused by the site)."""
        if scope["type"] == "http":
            route = self.inference.get(scope["path"])
            if route is not None and scope["method"] == "POST":
                await route(scope, receive, send)
                return
            if route is not None and scope["method"] == "OPTIONS":
                await send({"type": "http.response.start", "status": 204, "headers": cors.preflight(scope["path"], scope["headers"]) or []})
                await send({"type": "http.response.body", "body": b""})
                return
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        await self._site(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except BaseException as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop()
        await send({"type": "lifespan.shutdown.complete"})
