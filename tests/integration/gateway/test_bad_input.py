"""What clients send by mistake or in malice: each gets the contract's error, none a 500, and none stands in the way of others."""

import http.client
import json
import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from clients import CHAT, Answer, call, chat, chat_body, dial, head, raw, read_to_end, request, split, until
from gateway import API_KEY, Gateway

from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Pace, Rule
from trunkline.mock.thread import MockServer

MESSAGES = '"messages": [{"role": "user", "content": "Hi"}]'
MODEL = '"model": "acme/echo-1"'
MEBIBYTE = 1 << 20


def post(gateway: Gateway, body: bytes) -> Answer:
    return call(gateway, "POST", CHAT, body)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"messages": "Hi"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [1]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "wizard", "content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"content": "Hi"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0]"),
        ({"model": 5}, "model"),
        ({"models": "acme/echo-1"}, "models"),
        ({"stream": "yes"}, "stream"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": 3}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_completion_tokens": "many"}, "max_completion_tokens"),
        ({"seed": "lucky"}, "seed"),
        ({"stop": 5}, "stop"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name"),
        ({"tool_choice": 5}, "tool_choice"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "poem"}}, "response_format.type"),
        ({"provider": []}, "provider"),
        ({"provider": {"order": "acme"}}, "provider.order"),
        ({"provider": {"sort": "beauty"}}, "provider.sort"),
        ({"logit_bias": []}, "logit_bias"),
        ({"top_logprobs": 99}, "top_logprobs"),
        ({"user": 5}, "user"),
        ({"session_id": "x" * 257}, "session_id"),
        ({"reasoning": "hard"}, "reasoning"),
    ],
)
def test_a_wrong_field_is_named(gateway: Gateway, upstream: MockServer, fields: dict[str, Any], named: str) -> None:
    answer = chat(gateway, **fields)
    assert answer.status == 400
    assert named in answer.error["message"]
    assert answer.error["metadata"]["error_type"] == "invalid_request"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert upstream.seen() == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"5",
        b"{}",
        b"\xff\xfe{",
        b"\xef\xbb\xbf{}",
        b"a" * 1000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        f'{{{MODEL}, "messages": {"[" * 5000}{"]" * 5000}}}'.encode(),
        f'{{{MODEL}, {MESSAGES}, "temperature": NaN}}'.encode(),
        f'{{{MODEL}, {MESSAGES}, "temperature": Infinity}}'.encode(),
        f'{{{MODEL}, {MESSAGES}, "temperature": 1e999}}'.encode(),
        f"{{{MODEL}, {MESSAGES}}} trailing".encode(),
        f'{{{MODEL}, "messages": [{{"role": "user", "content": "\udc80"}}]}}'.encode("utf-8", "surrogateescape"),
        f"{{{MODEL}, {MESSAGES}}}".encode("utf-16"),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_request_is_a_400(gateway: Gateway, upstream: MockServer, body: bytes) -> None:
    answer = post(gateway, body)
    assert answer.status == 400, answer.body[:300]
    assert answer.error["metadata"]["error_type"] == "invalid_request"
    assert upstream.seen() == ()


@pytest.mark.parametrize(
    "body",
    [
        f'{{{MODEL}, "messages": [{{"role": "user", "content": "\\ud83d"}}]}}',
        f'{{{MODEL}, "messages": [{{"role": "user", "content": "\\u0000"}}]}}',
        f'{{"model": "acme/nothing", {MODEL}, {MESSAGES}}}',
        f"{{{MODEL}, {MESSAGES}, {MESSAGES}}}",
        f'{{{MODEL}, {MESSAGES}, "metadata": {{"deep": {"[" * 400}{"]" * 400}}}}}',
        f'{{{MODEL}, {MESSAGES}, "unknown_field": {{"a": 1}}}}',
        f'{{{MODEL}, {MESSAGES}, "seed": {"9" * 500}}}',
        f'{{{MODEL}, {MESSAGES}, "max_tokens": {"9" * 500}}}',
    ],
    ids=["lone-surrogate", "nul", "model-twice", "messages-twice", "deep", "unknown-field", "huge-seed", "huge-max-tokens"],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_odd_json_is_answered_or_refused_but_never_a_500(gateway: Gateway, upstream: MockServer, body: str, streamed: bool) -> None:
    answer = post(gateway, (body[:-1] + ', "stream": true}' if streamed else body).encode())
    assert answer.status in (200, 400), answer.body
    assert answer.complete
    assert answer.status == 200 or answer.error


def test_a_model_nobody_knows_is_named(gateway: Gateway) -> None:
    answer = chat(gateway, model="acme/nothing")
    assert answer.status == 400
    assert "acme/nothing" in answer.error["message"]
    assert answer.error["availability"]["code"] == "model_not_found"


def test_ten_thousand_messages_pass(gateway: Gateway, upstream: MockServer) -> None:
    messages = [{"role": ("user", "assistant")[number % 2], "content": f"message {number}"} for number in range(10_001)]
    assert chat(gateway, messages=messages).status == 200
    assert len(upstream.seen()[0].json()["messages"]) == 10_001  # type: ignore[arg-type]


def test_a_body_that_announces_too_much_is_refused_unread(gateway: Gateway) -> None:
    with dial(gateway, 5) as connection:
        connection.sendall(head(length=200 * MEBIBYTE))
        [answer] = split(read_to_end(connection))
    assert answer.status == 413
    assert answer.error["metadata"]["error_type"] == "payload_too_large"


def test_an_endless_body_is_refused_at_the_limit(gateway: Gateway) -> None:
    before = resident(gateway)
    received: list[bytes] = []
    with dial(gateway) as connection:
        reader = threading.Thread(target=lambda: received.append(read_to_end(connection)))
        reader.start()
        connection.sendall(head(extra=[b"Transfer-Encoding: chunked"]))
        sent = 0
        piece = b"100000\r\n" + b" " * MEBIBYTE + b"\r\n"
        with suppress(ConnectionError):
            while reader.is_alive() and sent < 200:
                connection.sendall(piece)
                sent += 1
        reader.join()
    assert sent < 100
    [answer] = split(received[0])
    assert answer.status == 413
    assert answer.error
    until(lambda: resident(gateway) < before + 160)


def resident(gateway: Gateway) -> float:
    """Memory of the gateway in MiB."""
    pages = int(Path(f"/proc/{gateway.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


@pytest.mark.parametrize(
    "data",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        head(length="ten"),
        head(length=-1),
        head(length="5, 6"),
        head(length=5, extra=[b"Content-Length: 6"]) + b"{}   ",
        head(length=5, extra=[b"Transfer-Encoding: chunked"]) + b"0\r\n\r\n",
        head(extra=[b"Transfer-Encoding: chunked"]) + b"zz\r\n{}\r\n0\r\n\r\n",
        head(length=2, extra=[b"X-Folded: one\r\n two"]) + b"{}",
        head(length=2, extra=[b"X-Bad\x00: one"]) + b"{}",
        head(length=2, extra=[b"X Bad: one"]) + b"{}",
        head(length=2, extra=[b"X-Bad: \x00"]) + b"{}",
        head(length=2, version="9.9") + b"{}",
    ],
    ids=lambda data: repr(data[:12] + b".." + data[-28:]),
)
def test_what_is_not_http_is_a_400_and_the_end_of_the_connection(gateway: Gateway, upstream: MockServer, data: bytes) -> None:
    answers = raw(gateway, data, half_close=True, timeout=30)
    assert [answer.status for answer in answers] in ([400], []), [answer.body for answer in answers]
    assert upstream.seen() == ()


def test_what_is_not_http_gets_the_envelope_too(gateway: Gateway) -> None:
    [answer] = raw(gateway, b"GARBAGE\r\n\r\n", timeout=30)
    assert answer.error["metadata"]["error_type"] == "invalid_request"


def test_header_values_of_any_bytes_do_no_harm(gateway: Gateway, upstream: MockServer) -> None:
    extra = [b"X-Title: caf\xc3\xa9 \xff\xfe", b"HTTP-Referer: " + b"x" * 5000, b"X-Session-Id: \xe9"]
    with dial(gateway, 5) as connection:
        connection.sendall(request(chat_body(), extra=[*extra, b"Connection: close"]))
        [answer] = split(read_to_end(connection))
    assert answer.status in (200, 400)
    assert answer.status == 200 or answer.error
    if answer.status == 200:
        assert call(gateway, "GET", f"/api/v1/generation?id={answer.id}").status == 200


@pytest.mark.parametrize(
    "authorization", [b"", b"Bearer", b"Bearer ", b"Basic abc", b"Bearer \xff\xfe", b"Bearer " + b"x" * 9000, b"sk-or-v1-"]
)
def test_a_strange_authorization_is_a_401(gateway: Gateway, authorization: bytes) -> None:
    top = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 2\r\nAuthorization: %s\r\n\r\n{}"
    [answer] = raw(gateway, top % (CHAT.encode(), authorization), timeout=30)
    assert answer.status == 401
    assert answer.error["metadata"]["error_type"] == "authentication"


@pytest.mark.parametrize("path", [CHAT, "/api/v1/models"])
def test_a_flood_of_headers_is_refused(gateway: Gateway, path: str) -> None:
    with dial(gateway, 30) as connection, suppress(ConnectionError):
        connection.sendall(head(path, length=2).removesuffix(b"\r\n"))
        for _ in range(300):
            connection.sendall(b"X-Flood: " + b"x" * 8000 + b"\r\n")
        connection.sendall(b"Connection: close\r\n\r\n{}")
    with dial(gateway, 30) as connection:
        connection.sendall(head(path, length=2).removesuffix(b"\r\n") + (b"X-Flood: " + b"x" * 8000 + b"\r\n") * 20 + b"\r\n{}")
        connection.settimeout(30)
        received = connection.recv(65536)
    assert received.startswith(b"HTTP/1.1 431 ")


def test_slow_senders_do_not_stand_in_the_way(gateway: Gateway, upstream: MockServer) -> None:
    slow = [dial(gateway) for _ in range(50)]
    try:
        for connection in slow[:25]:
            connection.sendall(head(length=1000) + b"{")
        for connection in slow[25:]:
            connection.sendall(b"POST /api/v1/chat/comp")
        started = time.monotonic()
        assert all(chat(gateway).status == 200 for _ in range(5))
        assert time.monotonic() - started < 30
    finally:
        for connection in slow:
            connection.close()
    assert chat(gateway).status == 200


@pytest.mark.long
@pytest.mark.parametrize("part", [b"", b"{"], ids=["nothing", "a-byte"])
def test_a_body_that_does_not_come_is_given_up_after_a_minute(gateway: Gateway, part: bytes) -> None:
    with dial(gateway, 90) as connection:
        connection.sendall(head(length=1000) + part)
        [answer] = split(read_to_end(connection))
    assert answer.status == 408
    assert answer.error["metadata"]["error_type"] == "timeout"


def test_a_client_that_stops_reading_holds_little_memory(gateway: Gateway, upstream: MockServer) -> None:
    words = " ".join(["x" * 50_000] * 1000)
    upstream.use(Rule(answer=Said(text=words), pace=Pace(burst=False)))
    before = resident(gateway)
    with dial(gateway) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(request(chat_body(model="acme/stops", stream=True)))
        assert connection.recv(15).startswith(b"HTTP/1.1 200")
        upstream.wait(lambda seen: seen[-1].bytes_sent > MEBIBYTE // 10)
        time.sleep(0.5)
        assert resident(gateway) < before + 16
        assert upstream.seen()[-1].bytes_sent < 20 * MEBIBYTE
    upstream.wait(lambda seen: seen[-1].aborted)


def test_pipelined_requests_are_answered_in_order(gateway: Gateway, upstream: MockServer) -> None:
    questions = [f"question {number}" for number in range(5)]
    bodies = [chat_body(messages=[{"role": "user", "content": text}], stream=number % 2 == 1) for number, text in enumerate(questions)]
    data = b"".join(request(body, extra=[b"Connection: close"] if body is bodies[-1] else []) for body in bodies)
    answers = raw(gateway, data, timeout=30)
    assert [answer.status for answer in answers] == [200] * 5
    texts = [answer.text if number % 2 else answer.json["choices"][0]["message"]["content"] for number, answer in enumerate(answers)]
    assert texts == questions


def test_a_request_in_single_bytes_is_a_request(gateway: Gateway, upstream: MockServer) -> None:
    with dial(gateway, 30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request(chat_body(), extra=[b"Connection: close"]):
            connection.sendall(bytes([byte]))
        [answer] = split(read_to_end(connection))
    assert answer.status == 200


@pytest.mark.parametrize("streamed", [False, True])
def test_a_client_that_ended_its_sending_gets_its_answer(gateway: Gateway, upstream: MockServer, streamed: bool) -> None:
    upstream.use(Rule(answer=Said(events=5), pace=Pace(event_ms=20)))
    [answer] = raw(gateway, request(chat_body(stream=streamed)), half_close=True, timeout=30)
    assert answer.status == 200
    assert answer.complete
    assert answer.usage["completion_tokens"] == 5


@pytest.mark.parametrize(
    "extra", [b"Expect: 100-continue", b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"]
)
def test_offers_of_other_protocols_are_declined(gateway: Gateway, upstream: MockServer, extra: bytes) -> None:
    with dial(gateway, 30) as connection:
        connection.sendall(request(chat_body(), extra=[extra]))
        received = b""
        while b"usage" not in received:
            data = connection.recv(65536)
            assert data, received
            received += data
    statuses = [int(line.split()[1]) for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert statuses in ([200], [100, 200])


def test_one_connection_serves_inference_and_everything_else(gateway: Gateway, upstream: MockServer) -> None:
    address = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    try:
        for _ in range(3):
            connection.request("POST", CHAT, chat_body(), headers)
            made = json.loads(connection.getresponse().read())
            connection.request("GET", f"/api/v1/generation?id={made['id']}", headers=headers)
            assert json.loads(connection.getresponse().read())["data"]["id"] == made["id"]
            connection.request("POST", CHAT, chat_body(stream=True), headers)
            assert connection.getresponse().read().endswith(b"data: [DONE]\n\n")
    finally:
        connection.close()


def test_a_refused_request_does_not_spoil_the_connection(gateway: Gateway, upstream: MockServer) -> None:
    bodies = [b"{", chat_body(model="acme/nothing"), chat_body()]
    data = b"".join(request(body, extra=[b"Connection: close"] if body is bodies[-1] else []) for body in bodies)
    assert [answer.status for answer in raw(gateway, data, timeout=30)] == [400, 400, 200]


@pytest.mark.parametrize("streamed", [False, True])
def test_http_1_0_is_answered(gateway: Gateway, upstream: MockServer, streamed: bool) -> None:
    with dial(gateway, 30) as connection:
        connection.sendall(request(chat_body(stream=streamed), version="1.0"))
        received = read_to_end(connection)
    top, _, body = received.partition(b"\r\n\r\n")
    assert b" 200 " in top.split(b"\r\n")[0]
    assert body.endswith(b"data: [DONE]\n\n") if streamed else json.loads(body)["usage"]


def test_a_socket_closed_in_mid_request_is_forgotten(gateway: Gateway, upstream: MockServer) -> None:
    for part in (b"", b"POST", head(length=100), head(length=100) + b"{"):
        raw(gateway, part, half_close=True, timeout=30)
    assert upstream.seen() == ()
    assert chat(gateway).status == 200


def test_unknown_paths_and_methods_have_the_envelope(gateway: Gateway) -> None:
    assert call(gateway, "GET", "/api/v1/nothing").error["metadata"]["error_type"] == "not_found"
    refused = call(gateway, "GET", CHAT)
    assert refused.status == 405
    assert refused.error
    assert call(gateway, "DELETE", "/api/v1/models").status == 405


@pytest.mark.parametrize("query", ["", "?id=", "?id=gen-1", "?id=%00", "?id=gen-1795406671-!!", "?id=" + "x" * 5000])
def test_a_strange_generation_id_is_refused(gateway: Gateway, query: str) -> None:
    answer = call(gateway, "GET", f"/api/v1/generation{query}")
    assert answer.status in (400, 404)
    assert answer.error
