"""Connections for everything but inference: uvicorn's own protocol, with the limits and the error envelope of ours (`api.connection`)."""

import asyncio
from collections import deque
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from trunkline.api.connection import BAD_REQUEST, HEAD_TOO_LARGE, IDLE_SECONDS, LINGER_SECONDS, MAX_HEAD_BYTES
from trunkline.api.inference import BODY_SECONDS, TOO_SLOW
from trunkline.api.wire import Dates, refusal, render_headers
from trunkline.dialects.chat.envelope import render
from trunkline.errors import ApiError


class AsgiConnection(HttpToolsProtocol):
    """uvicorn's protocol with an end to long heads, slow requests and answers that nobody reads; what is not HTTP is refused in JSON.

    `_under_way` are the requests without a whole answer, in order; `_patience` runs while bytes have come that are no whole request,
    `_unread` while the client takes nothing.
    """

    def __init__(self, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any], dates: Dates) -> None:
        super().__init__(config, server_state, app_state)
        self._dates = dates
        self._in_head = False
        self._in_request = False
        self._head_bytes = 0
        self._bare_bytes = 0
        self._under_way: deque[RequestResponseCycle] = deque()
        self._fault: ApiError | None = None
        self._refused: ApiError | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._unsent = 0

    # asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        if self._refused is not None:
            return
        self._bare_bytes += len(data)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline(data[offer.args[0] :])
        except httptools.HttpParserError:
            self._refuse(self._fault or BAD_REQUEST)
        if self._in_request and self._bare_bytes > MAX_HEAD_BYTES:
            self._refuse(HEAD_TOO_LARGE)
        if self._patience is None and not self._under_way and self._refused is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        for cycle in self._under_way:
            _leave_alone(cycle)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._watch()

    # httptools

    def on_message_begin(self) -> None:
        self._in_head = self._in_request = True
        self._head_bytes = self._bare_bytes = 0
        self._rest()
        self._wait()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Headers are counted, those after a body too, which are nobody's."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._fault = HEAD_TOO_LARGE
            raise ValueError(HEAD_TOO_LARGE.message)
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_offer():
            return
        super().on_headers_complete()
        self._in_head = False
        self._under_way.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        self._bare_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._is_offer():
            return
        self._in_request = False
        self._rest()
        super().on_message_complete()

    # uvicorn

    def on_response_complete(self) -> None:
        """Called after the last byte of each answer."""
        self._under_way.popleft()
        super().on_response_complete()
        if self._refused is not None and not self._under_way and not self.transport.is_closing():
            self._leave(self._refused)

    def timeout_keep_alive_handler(self) -> None:
        """The connection is idle. Closing it would wait for a client that has not read its last answer."""
        self.transport.abort() if self.transport.get_write_buffer_size() else self.transport.close()

    # Offers of other protocols

    def _is_offer(self) -> bool:
        return bool(self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT")

    def _decline(self, data: bytes) -> None:
        """Read a request that offers another protocol as if it did not (RFC 9110, 7.8): uvicorn would take its body for a request.

        llhttp has stopped after its head; `data` is what followed.
        """
        fields = [(name, value) for name, value in self.headers if name != b"upgrade"]
        version = self.parser.get_http_version().encode()
        head = b"%b %b HTTP/%b\r\n%b\r\n" % (self.parser.get_method(), self.url, version, render_headers(fields))
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(head + data)

    # Ends

    def _wait(self) -> None:
        self._patience = self.loop.call_later(BODY_SECONDS, self._refuse, TOO_SLOW)

    def _rest(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _refuse(self, error: ApiError) -> None:
        """End the connection with this error, after the answers that are under way."""
        if self._refused is not None:
            return
        self._refused = error
        self._rest()
        answered = False
        if self._in_request and not self._in_head:
            # The application has the request, but will never have all of it: it is told that the client left.
            self._in_request = False
            answered = self.cycle.response_started
            if not self.cycle.response_complete:
                self._under_way.pop()
                _leave_alone(self.cycle)
        if not self._under_way:
            self._leave(None if answered else error)

    def _leave(self, error: ApiError | None) -> None:
        """Say what was wrong, and let the client read it: closing on unread bytes would reset the connection (RFC 9112, 9.6)."""
        self._unset_keepalive_if_required()
        if error is not None:
            self.transport.write(refusal(error.status, render(error), self._dates))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _watch(self) -> None:
        """Look now and then whether the client takes what it is sent; who takes nothing for long is cut off."""
        unsent = self.transport.get_write_buffer_size()
        if self._unread is not None and unsent and unsent == self._unsent:
            self.transport.abort()
            return
        self._unsent = unsent
        self._unread = self.loop.call_later(IDLE_SECONDS, self._watch) if unsent else None


def _leave_alone(cycle: RequestResponseCycle) -> None:
    """Tell the application that nobody waits for this answer. uvicorn tells only the last of several requests when a client leaves."""
    cycle.disconnected = True
    cycle.message_event.set()
