"""The life of one request, told once: authenticate, decode, plan, reserve, attempt, relay, measure, settle."""

import asyncio

from trunkline.errors import ApiError, UpstreamError
from trunkline.inference import self_made
from trunkline.inference.admission import Admission
from trunkline.inference.cached import Cache
from trunkline.inference.call import Call, Exchange
from trunkline.inference.ending import best, told_inside
from trunkline.inference.failures import Failure, summarise
from trunkline.inference.relay import let_go, relay
from trunkline.inference.reply import Reply
from trunkline.inference.threads import leave, stay
from trunkline.inference.upstream import Live
from trunkline.inference.watch import Watch
from trunkline.plugins.caching.wishes import ENABLE
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.principal import Principal
from trunkline.protocol.regions import FORWARDED, PREFIXES
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.usage import Usage


class Pipeline(Admission):
    """Runs inference requests: `admission` is the first half of the story."""

    async def run(self, call: Call, reply: Reply) -> None:
        """Answer one request. Raises ApiError for whatever the client can still be told with an HTTP status."""
        principal = await self.authenticated(call)
        request, headers = call.skin.parse(call.body), call.headers
        if headers.get(b"host", b"")[:3] in PREFIXES or FORWARDED in headers:
            request = self.bound(call, request)
        if self._services.cache is not None and ENABLE in call.headers:
            await self._cached(call, principal, request, reply, self._services.cache)
        else:
            await self._run(await self.admit(call, principal, request), reply)

    async def _cached(self, call: Call, principal: Principal, request: InboundRequest, reply: Reply, cache: Cache) -> None:
        """Answer with what was kept, or keep the answer."""
        answered = await cache.answer(call, principal, request, reply)
        if answered is True:
            return
        exchange = await self.admit(call, principal, request)
        await self._run(exchange, answered.listening(exchange) if answered else reply)

    async def _run(self, exchange: Exchange, reply: Reply) -> None:
        request = exchange.request
        try:
            if request.chosen is not None and request.chosen.answer is not None:
                await self_made.answer(exchange, reply, self._services.ledger, self.router_metadata(exchange))
            else:
                await (self._stream(exchange, reply) if request.stream else self._whole(exchange, reply))
        except ApiError as error:
            leave(self._services.stickiness, exchange)
            self.tell(exchange, error)
            self._services.ledger.fail(exchange, status=error.status, error_type=error.error_type)
            if not await told_inside(exchange, reply, error):
                raise
        finally:
            self._services.ledger.fail(exchange, status=500, error_type="server")

    async def _whole(self, exchange: Exchange, reply: Reply) -> None:
        """One complete answer. It is finished, recorded and charged also when the client has left meanwhile."""
        services = self._services
        try:
            endpoint, answer = await services.attempts.first_success(exchange, services.upstream.whole)
        except asyncio.CancelledError:
            services.ledger.leave(exchange)
            raise
        except ApiError:
            told = best(exchange, self.tell) if exchange.partials else None
            if told is None:
                raise
            leave(services.stickiness, exchange)
            services.ledger.fail(exchange, status=told.error.status, error_type=told.error.error_type, seen=told.seen)
            await reply.whole(200, told.body)
            return
        usage, cost = services.ledger.succeed(exchange, endpoint, answer)
        self._remember(exchange, endpoint, usage)
        await reply.whole(200, answer.encode(usage, cost, metadata=self.router_metadata(exchange)))

    async def _stream(self, exchange: Exchange, reply: Reply) -> None:
        """An event stream: until the first content another endpoint can step in."""
        services = self._services
        watch = Watch(reply, services.drains, exchange.left)
        live: Live | None = None
        try:
            endpoint, opened = await self.open_stream(exchange)
            live = opened
            await self._deliver(exchange, endpoint, opened, reply, watch)
        except asyncio.CancelledError:
            self._left(exchange, live)
            if not watch.reason:
                raise
            watch.forgive()
        finally:
            watch.stop()
            if live is not None:
                live.response.close()

    async def open_stream(self, exchange: Exchange) -> tuple[Endpoint, Live]:
        """The first endpoint that gives content, and its stream."""
        return await self._services.attempts.first_success(exchange, self._services.upstream.opened)

    async def _deliver(self, exchange: Exchange, endpoint: Endpoint, live: Live, reply: Reply, watch: Watch) -> None:
        """A committed stream to its end. A failure from here on is told in the stream, and never looks like a normal end."""
        services = self._services
        if exchange.echoes:
            live.first = exchange.echoed() + live.first
        try:
            rest = await relay(live, reply, watch, endpoint.timeouts.content_idle)
        except UpstreamError as error:
            services.attempts.failed(exchange, endpoint, error)
            leave(services.stickiness, exchange)
            told = summarise([Failure(endpoint, error)], exchange.request.models, before=exchange.failures)
            self.tell(exchange, told)
            services.ledger.fail(exchange, status=told.status, error_type=told.error_type, seen=live.stream)
            await reply.write(live.stream.fail(told), last=True)
            return
        usage, cost = services.ledger.succeed(exchange, endpoint, live.stream, cancelled=watch.draining)
        self._remember(exchange, endpoint, usage)
        await reply.write(rest + live.stream.finish(usage, cost, metadata=self.router_metadata(exchange)), last=True)
        await let_go(live)

    def _left(self, exchange: Exchange, live: Live | None) -> None:
        """The client is gone (or the server stops): what was delivered so far is charged, and nothing when nothing was (adapters 5.3),
        though its upstream may bill the prompt."""
        if live is not None and exchange.endpoint is not None:
            self._services.ledger.succeed(exchange, exchange.endpoint, live.stream, cancelled=True)
        else:
            self._services.ledger.leave(exchange)

    def _remember(self, exchange: Exchange, endpoint: Endpoint, usage: Usage) -> None:
        """Note where the conversation was answered, so that its next turn goes there."""
        services, chosen = self._services, exchange.request.chosen
        if chosen is not None and services.routers is not None:
            services.routers.served(chosen, endpoint.model)
        if exchange.thread is not None:
            stay(services.stickiness, exchange, endpoint, usage)
