"""Inference connections, byte by byte: whole requests, and requests for somebody else."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stand import PATH, Stand, chunked, post, run

from trunkline.api import connection as module
from trunkline.inference.call import Call
from trunkline.inference.reply import Reply

# Whole requests


def test_a_request_in_one_read_is_answered_with_all_its_headers() -> None:
    async def test(stand: Stand) -> None:
        client = await stand.connect(post(b"hello", b"X-Title: A", b"x-title: B", b"AUTHORIZATION: Bearer k"))
        status, head, body = await client.answer()
        assert (status, body) == (200, b"hello")
        assert b"\r\ndate: " in head and b"\r\ncontent-type: application/json\r\n" in head and b"connection: close" not in head
        assert b"\r\nx-generation-id: %b\r\n" % stand.route.calls[0].id_text.encode().lower() in head
        assert dict(stand.route.calls[0].headers) == {
            b"host": b"here",
            b"content-length": b"5",
            b"x-title": b"B",
            b"authorization": b"Bearer k",
        }

    run(test)


def test_a_request_may_be_cut_anywhere() -> None:
    request = post(b'{"a": 1}', b"Authorization: Bearer k")

    async def test(stand: Stand) -> None:
        for cut in range(1, len(request)):
            client = await stand.connect(request[:cut], request[cut:])
            assert (await client.answer())[2] == b'{"a": 1}'
            client.writer.close()
        client = await stand.connect(*[request[at : at + 1] for at in range(len(request))])
        assert (await client.answer())[2] == b'{"a": 1}'
        assert all(call.header(b"authorization") == "Bearer k" for call in stand.route.calls)

    run(test)


def test_one_connection_serves_many_requests() -> None:
    async def test(stand: Stand) -> None:
        client = await stand.connect()
        for body in (b"1", b"", b"333"):
            await client.send(post(body))
            assert (await client.answer())[2] == body

    assert run(test).bodies == [b"1", b"", b"333"]


@pytest.mark.parametrize("query", ["?", "?beta=true", "?a=/b?c&d=%20"])
def test_a_query_changes_nothing(query: str) -> None:
    async def test(stand: Stand) -> None:
        client = await stand.connect(post(b"1", path=PATH + query), post(b"2"))
        for body in (b"1", b"2"):
            assert (await client.answer())[2] == body
        assert not stand.elsewhere
        assert [call.query for call in stand.route.calls] == [query[1:].encode(), b""]

    run(test)


def test_requests_sent_ahead_are_answered_one_after_another() -> None:
    count = 3 * module.MAX_WAITING
    running = []

    async def slow(call: Call, reply: Reply) -> None:
        running.append(call)
        assert len(running) == 1
        await asyncio.sleep(0.001)
        running.clear()
        await reply.whole(200, call.body)

    async def test(stand: Stand) -> None:
        client = await stand.connect(b"".join(post(b"%d" % number) for number in range(count)))
        assert [(await client.answer())[2] for _ in range(count)] == [b"%d" % number for number in range(count)]
        await client.send(post(b"more"))
        assert (await client.answer())[2] == b"more"

    run(test, slow)


def test_a_client_far_ahead_is_not_read_until_it_is_its_turn() -> None:
    go = asyncio.Event()

    async def held(call: Call, reply: Reply) -> None:
        await go.wait()
        await reply.whole(200, call.body)

    async def test(stand: Stand) -> None:
        client = await stand.connect(*[post(b"%d" % number) for number in range(module.MAX_WAITING + 1)])
        await stand.until(lambda: next(iter(stand.connections))._paused)
        await client.send(post(b"last"))
        go.set()
        for number in range(module.MAX_WAITING + 1):
            assert (await client.answer())[2] == b"%d" % number
        assert (await client.answer())[2] == b"last"

    run(test, held)


def test_chunks_are_joined_and_trailers_are_nobodys_headers() -> None:
    async def test(stand: Stand) -> None:
        client = await stand.connect(
            chunked(b"ab", b"c" * 300, b"d", trailers=b"Authorization: Bearer stolen\r\nX-T: 1\r\n") + post(b"next"),
            chunked(trailers=b"X-Late: 1\r\n"),
            post(b"third"),
        )
        for body in (b"ab" + b"c" * 300 + b"d", b"next", b"", b"third"):
            assert (await client.answer())[2] == body
        for call in stand.route.calls:
            assert not {b"authorization", b"x-t", b"x-late"} & set(call.headers)

    run(test)


@settings(max_examples=25, deadline=None)
@given(bodies=st.lists(st.tuples(st.binary(max_size=40), st.booleans()), min_size=1, max_size=6), data=st.data())
def test_any_split_of_the_bytes_gives_the_same_calls(bodies: list[tuple[bytes, bool]], data: st.DataObject) -> None:
    stream = b"".join(chunked(*([body] if body else [])) if in_chunks else post(body, b"X-N: 1") for body, in_chunks in bodies)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True) if start < end]

    async def test(stand: Stand) -> None:
        client = await stand.connect(*pieces)
        assert [(await client.answer())[2] for _ in bodies] == [body for body, _ in bodies]
        assert [b"x-n" in call.headers for call in stand.route.calls] == [not in_chunks for _, in_chunks in bodies]

    run(test)


def test_a_client_may_ask_whether_to_send_its_body() -> None:
    async def test(stand: Stand) -> None:
        request = post(b"body", b"Expect: 100-continue")
        client = await stand.connect(request[:-4])
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(request[-4:])
        assert (await client.answer())[2] == b"body"

    run(test)


def test_no_interim_answer_falls_into_the_stream_before() -> None:
    go = asyncio.Event()

    async def stream(_call: Call, reply: Reply) -> None:
        await reply.write(b"one")
        await go.wait()
        await reply.write(b"two", last=True)

    async def test(stand: Stand) -> None:
        client = await stand.connect(post(), post(b"body", b"Expect: 100-continue")[:-4])
        go.set()
        first = await client.reader.readuntil(b"0\r\n\r\n")
        assert b"100 Continue" not in first and first.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
        await client.send(b"body")
        assert (await client.reader.readuntil(b"0\r\n\r\n")).startswith(b"HTTP/1.1 200")

    run(test, stream)


@pytest.mark.parametrize("request_bytes", [post(b"a", version=b"1.0"), post(b"a", b"Connection: close")], ids=["1.0", "close"])
def test_the_connection_ends_when_the_client_wants_it(request_bytes: bytes) -> None:
    async def test(stand: Stand) -> None:
        client = await stand.connect(request_bytes)
        answer = await client.rest()
        assert answer.endswith(b"\r\n\r\na") and b"\r\nconnection: close\r\n" in answer

    run(test)


def test_an_old_client_gets_a_stream_without_chunks() -> None:
    async def stream(_call: Call, reply: Reply) -> None:
        await reply.write(b"one")
        await reply.write(b"two", last=True)

    async def test(stand: Stand) -> None:
        answer = await (await stand.connect(post(b"", b"Connection: keep-alive", version=b"1.0"))).rest()
        assert answer.endswith(b"\r\n\r\nonetwo") and b"transfer-encoding" not in answer

    run(test, stream)


@pytest.mark.parametrize("body", [b"", b"the body"])
def test_the_offer_of_another_protocol_is_declined(body: bytes) -> None:
    offer = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQ")

    async def test(stand: Stand) -> None:
        request = post(body, *offer)
        client = await stand.connect(request + post(b"second"), post(b"third", *offer)[:-2], b"rd")
        for expected in (body, b"second", b"third"):
            assert (await client.answer())[2] == expected
        client = await stand.connect(post(b"no offer", b"Upgrade: h2c"))
        assert (await client.answer())[2] == b"no offer"

    run(test)


# What is not for us


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /health HTTP/1.1\r\n\r\n",
        b"POST /api/v1/chat/completionsX HTTP/1.1\r\n\r\n",
        b"POST /api/v1/chat/completionsX?x=1 HTTP/1.1\r\n\r\n",
        b"post /api/v1/chat/completions HTTP/1.1\r\n\r\n",
        b"\r\nPOST /api/v1/chat/completions HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02",
    ],
)
def test_other_bytes_are_handed_over_as_they_came(request_bytes: bytes) -> None:
    async def test(stand: Stand) -> None:
        assert await (await stand.connect(request_bytes)).rest() == b"elsewhere"
        assert stand.elsewhere == [request_bytes] and not stand.connections

    run(test)


def test_a_beginning_that_turns_out_otherwise_is_handed_over_whole() -> None:
    async def test(stand: Stand) -> None:
        client = await stand.connect(b"P", b"OST /api/v1/chat/comp", b"ot HTTP/1.1\r\n\r\n")
        assert await client.rest() == b"elsewhere"
        assert stand.elsewhere == [b"POST /api/v1/chat/compot HTTP/1.1\r\n\r\n"]

    run(test)


def test_a_connection_is_handed_over_after_inference_too() -> None:
    async def test(stand: Stand) -> None:
        client = await stand.connect(post(b"1"))
        assert (await client.answer())[2] == b"1"
        await client.send(b"GET /health HTTP/1.1\r\n\r\n")
        assert await client.rest() == b"elsewhere"
        assert stand.elsewhere == [b"GET /health HTTP/1.1\r\n\r\n"]

    run(test)


@pytest.mark.parametrize("apart", [True, False])
def test_a_request_for_elsewhere_too_early_ends_the_connection_after_the_answers(apart: bool) -> None:
    go = asyncio.Event()

    async def held(call: Call, reply: Reply) -> None:
        await go.wait()
        await reply.whole(200, call.body)

    async def test(stand: Stand) -> None:
        other = b"GET /health HTTP/1.1\r\n\r\n"
        client = await stand.connect(*([post(b"1"), post(b"2"), other] if apart else [post(b"1") + post(b"2") + other]))
        await stand.until(lambda: next(iter(stand.connections))._ending)
        go.set()
        assert [(await client.answer())[2] for _ in range(2)] == [b"1", b"2"]
        assert await client.rest() == b"" and not stand.elsewhere

    run(test, held)


def test_a_cut_request_for_elsewhere_behind_an_answer_does_not_hang() -> None:
    async def test(stand: Stand) -> None:
        client = await stand.connect(post(b"1") + b"GE", b"T /health HTTP/1.1\r\n\r\n")
        assert (await client.answer())[2] == b"1"
        assert await client.rest() == b""

    run(test)
