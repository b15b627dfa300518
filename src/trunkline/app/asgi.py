"""Connections for everything but inference: uvicorn's own protocol, with the limits and the error envelope of ours (`api.connection`)."""

import asyncio
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from trunkline.api.connection import BAD_REQUEST, HEAD_TOO_LARGE, LINGER_SECONDS, MAX_HEAD_BYTES
from trunkline.api.inference import BODY_SECONDS, TOO_SLOW
from trunkline.api.wire import Dates, refusal
from trunkline.dialects.chat.envelope import render
from trunkline.errors import ApiError


class AsgiConnection(HttpToolsProtocol):
    """uvicorn's protocol with an end to long heads and slow requests; what is not HTTP is refused in JSON."""

    def __init__(self, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any], dates: Dates) -> None:
        super().__init__(config, server_state, app_state)
        self._dates = dates
        self._in_head = False
        self._head_bytes = 0
        self._refused = False
        self._patience: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(HEAD_TOO_LARGE)

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        self._rest()
        self._patience = self.loop.call_later(BODY_SECONDS, self._refuse, TOO_SLOW)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._rest()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """uvicorn's answer to bytes that are no HTTP."""
        self._refuse(BAD_REQUEST)

    def _rest(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _refuse(self, error: ApiError) -> None:
        """End the connection, with an answer where none is under way; then let the client read it."""
        if self._refused:
            return
        self._refused = True
        self._in_head = False
        self._rest()
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(refusal(error.status, render(error), self._dates))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)
