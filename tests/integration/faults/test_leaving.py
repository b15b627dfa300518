"""What a request costs whose client leaves, by how far it had come: the prompt is billed once its upstream has it (adapters 5.3), and the
caller pays for content alone (contract 4.4)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pipelines import PRICE, ROLE, Outcome, event
from races import STREAMED, Course, Gate, at

from trunkline.inference.call import Exchange
from trunkline.mock.script import Answer, Fault, Pace, Rule, Tokens
from trunkline.mock.thread import MockServer
from trunkline.protocol.generation import GenerationRecord

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
REFUSING = b"HTTP/1.1 500 Oh\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n{"


class Halting:
    """An upstream that reads a request (unless `deaf`), answers a part of what it should, and then waits for the end of the connection."""

    def __init__(self, begun: bytes = b"", *, deaf: bool = False) -> None:
        self.url = ""
        self.begun = begun
        self.deaf = deaf
        self.ready = 0
        self.closed = 0
        self._over = asyncio.Event()
        self._serving: list[Any] = []

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with server:
            try:
                yield
            finally:
                self._over.set()
                if self._serving:
                    await asyncio.wait(self._serving, timeout=10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.append(asyncio.current_task())
        if self.deaf:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await self._over.wait()
            writer.transport.abort()
            return
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        writer.write(self.begun)
        await writer.drain()
        self.ready += 1
        with contextlib.suppress(ConnectionError):
            await reader.read()
        self.closed += 1
        writer.close()


def leave(
    upstream: Halting, *, drains: int = 32, cancel: str = "stops", byok: bool = False, **fields: Any
) -> tuple[GenerationRecord, Course]:
    """One request whose client leaves once the upstream has said its part; what is recorded of it, when the connection is closed."""
    courses = []

    async def main() -> None:
        async with upstream.serving():
            course = Course([at("one", upstream.url, on_cancel=cancel, byok="b" * 8 if byok else None)], share=None, drains=drains)
            courses.append(course)

            exchanges = overhear(course)

            async def ready() -> None:
                await course.until(lambda: upstream.ready == 1 and has_come(exchanges[0], upstream.begun))

            async with asyncio.timeout(60):
                await course.one(gone=ready(), **fields)
                await course.until(lambda: upstream.closed == 1)
            await course.until(lambda: course.real.stats().open == course.real.stats().idle)
            await course.real.close()

    asyncio.run(main())
    (course,) = courses
    (record,) = course.ledgers.records
    assert len(course.ledgers.settled) + len(course.ledgers.own_keys) == 1
    assert course.drains._free == drains
    return record, course


def overhear(course: Course) -> list[Exchange]:
    """The exchanges whose attempts have begun."""
    exchanges: list[Exchange] = []
    first_success = course.services.attempts.first_success

    async def noted(exchange: Exchange, attempt: Any) -> Any:
        exchanges.append(exchange)
        return await first_success(exchange, attempt)

    course.services.attempts.first_success = noted  # type: ignore[method-assign]
    return exchanges


def has_come(exchange: Exchange, data: bytes) -> bool:
    """Whether what the upstream said has arrived."""
    if b"Paris" in data:
        return exchange.first_content_at > 0
    return exchange.response is not None and bool(exchange.response.status) == bool(data)


def billed(record: GenerationRecord) -> tuple[int, int, int | None]:
    """What the caller pays, the output, and what the upstream charges."""
    assert record.cancelled
    return record.cost, record.output_tokens, record.upstream_cost


STAGES = {"before the head": b"", "after the head": HEAD, "before the content": HEAD + ROLE + b": wait\n\n"}


@pytest.mark.parametrize("begun", STAGES.values(), ids=STAGES)
@pytest.mark.parametrize("cancel", ["stops", "no place to drain"])
def test_the_upstream_bills_the_prompt_that_it_has(begun: bytes, cancel: str) -> None:
    stops = cancel == "stops"
    record, course = leave(Halting(begun), drains=32 if stops else 0, cancel="stops" if stops else "bills_on")
    assert record.input_tokens > 0
    assert billed(record) == (0, 0, record.input_tokens * PRICE.prompt)
    assert (record.usage_source, record.status, record.error_type) == ("estimated", 499, "cancelled")
    assert course.ledgers.settled == [0]


def test_what_was_delivered_is_charged() -> None:
    record, course = leave(Halting(HEAD + ROLE + event({"content": "Paris is a city."})))
    assert (record.usage_source, record.error_type, record.output_tokens) == ("estimated", None, 4)
    assert billed(record) == (record.input_tokens * PRICE.prompt + 4 * PRICE.completion, 4, None)
    assert course.ledgers.settled == [record.cost]


def test_a_refusal_that_comes_slowly_is_not_billed_and_its_connection_is_closed() -> None:
    record, _course = leave(Halting(REFUSING))
    assert (billed(record), record.input_tokens) == ((0, 0, None), 0)


def test_with_a_key_of_their_own_callers_pay_their_provider() -> None:
    record, course = leave(Halting(HEAD), byok=True)
    assert billed(record) == (0, 0, record.input_tokens * PRICE.prompt)
    assert (course.ledgers.settled, course.ledgers.own_keys) == ([], [record.upstream_cost])


@pytest.mark.parametrize("where", ["dialling", "sending"])
def test_nothing_is_billed_before_the_request_has_gone_out(where: str) -> None:
    upstream = Halting(deaf=True)

    async def main() -> None:
        async with upstream.serving():
            course = Course([at("one", upstream.url)], share=None)
            exchanges = overhear(course)
            if where == "dialling":
                course.real._dialer.dial = _never  # type: ignore[method-assign]

            async def begun() -> None:
                await course.until(lambda: bool(exchanges) and (where == "dialling" or exchanges[0].response is not None))

            fields = {} if where == "dialling" else {"user": "u" * 100, "messages": [{"role": "user", "content": "long " * 8_000_000}]}
            await course.one(gone=begun(), **fields)
            (record,) = course.ledgers.records
            assert (billed(record), record.input_tokens, course.ledgers.settled) == ((0, 0, None), 0, [0])
            await course.until(lambda: course.real.stats().open == course.real.stats().idle)
            await course.real.close()

    asyncio.run(main())


async def _never(*_arguments: object) -> Any:
    await asyncio.sleep(3600)


def test_what_an_earlier_attempt_sent_does_not_count() -> None:
    """The first endpoint breaks off; the client leaves while the second is dialled."""
    gate = Gate()
    gate.answer(HEAD)
    course = Course([at("one", gate.url), at("two", "http://127.0.0.1:9/v1")], gates=[gate], share=None)
    gone = asyncio.Event()
    dial = course.real._dialer.dial

    async def dialled(pool: Any, seconds: float) -> Any:
        if pool.origin.port == 9:
            gone.set()
            return await _never()
        return await dial(pool, seconds)

    course.real._dialer.dial = dialled  # type: ignore[method-assign]
    course.go(lambda course: course.one(gone=gone.wait()))  # type: ignore[arg-type, return-value]
    (record,) = course.ledgers.records
    assert (record.endpoint_id, record.input_tokens, billed(record)) == ("two", 0, (0, 0, None))


def test_nobody_else_is_asked_for_a_client_that_has_left() -> None:
    """An endpoint that bills on is read to its end; where that is a failure, it was the last attempt."""
    gate = Gate()
    with MockServer() as mock:
        course = Course([at("one", gate.url, on_cancel="bills_on"), at("two", mock.url)], gates=[gate], share=None)

        async def scene(course: Course) -> None:
            gone = asyncio.Event()
            asking = asyncio.create_task(course.one(gone=gone.wait()))
            await course.until(lambda: gate.calls == 1)
            gone.set()
            await course.until(lambda: course.drains._free == 31)
            gate.answer(b"HTTP/1.1 500 Oh\r\ncontent-length: 2\r\n\r\n{}")
            await asking

        course.go(scene)
        assert not mock.seen()
        assert gate.calls == 1
    assert [(one.status, one.cost) for one in course.ledgers.records] == [(502, 0)]
    assert (course.ledgers.settled, course.drains._free) == ([0], 32)


def test_what_bills_on_is_charged_in_full() -> None:
    gate = Gate()
    course = Course([at("one", gate.url, on_cancel="bills_on")], gates=[gate], share=None)

    async def scene(course: Course) -> None:
        gone = asyncio.Event()
        asking = asyncio.create_task(course.one(gone=gone.wait()))
        await course.until(lambda: gate.calls == 1)
        gone.set()
        await course.until(lambda: course.drains._free == 31)
        gate.answer(STREAMED)
        await asking

    course.go(scene)
    (record,) = course.ledgers.records
    assert (billed(record), record.usage_source, course.ledgers.settled) == ((130, 3, None), "upstream", [130])


@pytest.mark.parametrize("fault", ["slow_head", "slow_bytes"])
def test_a_whole_answer_that_a_shutdown_ends_has_its_prompt_billed(fault: str) -> None:
    answer = Answer(text="one two", tokens=Tokens(prompt=7, completion=3))
    with MockServer() as mock:
        mock.use(Rule(answer=answer, pace=Pace(), fault=Fault(kind=fault, seconds=3600, size=1, interval_ms=200)))
        course = Course([at("one", mock.url)], share=None)
        outcomes: list[Outcome] = []

        async def scene(course: Course) -> None:
            asking = asyncio.create_task(course.one(stream=False))
            await course.until(lambda: len(mock.seen()) == 1)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                outcomes.append(await asking)

        course.go(scene)
        mock.wait(lambda seen: [one.aborted for one in seen] == [True])
    (record,) = course.ledgers.records
    assert billed(record) == (0, 0, record.input_tokens * PRICE.prompt)
    assert course.ledgers.settled == [0]
