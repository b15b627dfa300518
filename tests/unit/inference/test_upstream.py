"""One attempt: what counts as the first content, and what is no answer."""

import asyncio
import time
from collections.abc import Mapping

import pytest
from msgspec.structs import replace
from pipelines import DONE, ROLE, USER, answer, event, served, stream

from trunkline.dialects.chat.request import parse
from trunkline.errors import MalformedResponse, UpstreamError, UpstreamTimeout
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.routes import Routes
from trunkline.inference.skins import CHAT
from trunkline.inference.upstream import Upstream
from trunkline.limits.account import Hold
from trunkline.protocol.catalogue import Timeouts
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.routing import Plan
from trunkline.providers.credentials import Credentials
from trunkline.transport.fake import FakeClient, FakeReply

BODY = b'{"model":"a/m","stream":true,"messages":[{"role":"user","content":"hi"}]}'


def attempt(reply: FakeReply, *, whole: bool = False, first_content: float = 30.0) -> object:
    endpoint = replace(served("one"), timeouts=Timeouts(first_content=first_content))
    client = FakeClient(reply)
    exchange = Exchange(Call({}, BODY, Mint(), CHAT), USER, parse(BODY), Plan((endpoint,)), Hold(), 1)
    exchange.sent_at = time.monotonic()
    upstream, route = Upstream(client), Routes(client, Credentials({}), {}).to(endpoint)
    try:
        return asyncio.run((upstream.whole if whole else upstream.opened)(exchange, route))
    finally:
        response = client.sent[0].response
        assert response is not None
        if reply.status != 200:
            assert response.complete or response.closed


def test_a_stream_is_open_with_its_first_content() -> None:
    live = attempt(stream(ROLE, event({"content": "Hi"}), 3600.0))
    assert b'"content":"Hi"' in live.first


def test_a_finish_without_content_is_an_answer_too() -> None:
    live = attempt(stream(ROLE, event({}, finish="stop"), DONE))
    assert live.stream.finish_reason == "stop"


def test_heartbeats_are_no_content() -> None:
    beats: list[bytes | float] = [b": ping\n\n", 0.02] * 50
    with pytest.raises(UpstreamTimeout, match="first_content"):
        attempt(stream(*beats), first_content=0.1)


def test_silence_is_no_content() -> None:
    with pytest.raises(UpstreamTimeout, match="first_content"):
        attempt(stream(ROLE, 3600.0), first_content=0.05)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (FakeReply(401, {}, [b'{"error":{"message":"bad key","code":"invalid_api_key"}}']), "credential"),
        (FakeReply(502, {"content-type": "text/html"}, [b"<html>"]), "server"),
        (stream(ROLE, b'data: {"error":{"message":"slow","code":429}}\n\n'), "rate_limit"),
        (stream(ROLE), "stream_cut"),
        (stream(b"data: {broken\n\n"), "malformed"),
    ],
)
def test_what_is_no_answer(reply: FakeReply, kind: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        attempt(reply)
    assert caught.value.kind == kind


def test_a_whole_answer_without_content_is_none() -> None:
    with pytest.raises(MalformedResponse, match="no content"):
        attempt(answer("", finish_reason=None), whole=True)


class Tokens:
    """Stands for a signer: tokens that are numbered, each fetched after the one before was refused."""

    def __init__(self) -> None:
        self.number = 1
        self.asked: list[tuple[str, str, bytes]] = []

    async def headers(self, method: str, url: str, body: bytes) -> dict[str, str]:
        self.asked.append((method, url, body))
        return {"authorization": f"Bearer t{self.number}"}

    def forget(self, headers: Mapping[str, str]) -> None:
        assert headers == {"authorization": f"Bearer t{self.number}"}
        self.number += 1


REFUSED = FakeReply(401, {}, [b'{"error":{"message":"expired","code":"invalid_api_key"}}'])


def signed(*replies: FakeReply) -> tuple[Tokens, FakeClient, str]:
    """What one attempt did with a signer: the signer, the client, and the kind of the failure, "" for none."""
    endpoint, tokens, client = served("one"), Tokens(), FakeClient(*replies)
    exchange = Exchange(Call({}, BODY, Mint(), CHAT), USER, parse(BODY), Plan((endpoint,)), Hold(), 1)
    exchange.sent_at = time.monotonic()
    route = Routes(client, Credentials({}), {}, lambda _endpoint: tokens).to(endpoint)
    try:
        asyncio.run(Upstream(client).opened(exchange, route))
    except UpstreamError as error:
        return tokens, client, error.kind
    return tokens, client, ""


def test_a_signed_call_bears_headers_of_its_own() -> None:
    tokens, client, kind = signed(stream(ROLE, event({"content": "Hi"}), 3600.0))
    assert kind == ""
    (sent,) = client.sent
    assert b"authorization: Bearer t1\r\n" in sent.extra_headers
    assert tokens.asked == [("POST", "http://one.test/v1/chat/completions", sent.body)]


def test_the_experiments_of_a_call_go_with_it() -> None:
    endpoint = served("one", dialect="messages", quirks=Quirks(betas={"*": ""}))
    reply = FakeReply(200, {"content-type": "application/json"}, [b'{"content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn"}'])
    for signer in (None, Tokens()):
        client = FakeClient(reply)
        call = Call({b"anthropic-beta": b"long-2"}, BODY, Mint(), CHAT)
        exchange = Exchange(call, USER, parse(BODY), Plan((endpoint,)), Hold(), 1)
        route = Routes(client, Credentials({}), {}, lambda _endpoint, signer=signer: signer).to(endpoint)
        asyncio.run(Upstream(client).whole(exchange, route))
        assert b"anthropic-beta: long-2\r\n" in client.sent[0].extra_headers
        assert (b"Bearer t1" in client.sent[0].extra_headers) is (signer is not None)


def test_a_refused_credential_is_made_anew_once() -> None:
    tokens, client, kind = signed(REFUSED, stream(ROLE, event({"content": "Hi"}), 3600.0))
    assert (kind, tokens.number, len(client.sent)) == ("", 2, 2)
    assert b"Bearer t2" in client.sent[1].extra_headers
    tokens, client, kind = signed(REFUSED, REFUSED)
    assert (kind, len(client.sent)) == ("credential", 2)


def test_other_refusals_are_not_repeated() -> None:
    tokens, client, kind = signed(FakeReply(429, {}, [b"{}"]))
    assert (kind, tokens.number, len(client.sent)) == ("rate_limit", 1, 1)


def test_the_head_of_an_answer_is_told_and_that_of_a_refusal_is_not() -> None:
    heard: list[tuple[str, bytes | None]] = []
    endpoint = served("one")
    limits = {"x-ratelimit-remaining-requests": "7"}
    whole = answer()
    client = FakeClient(replace(whole, headers={**whole.headers, **limits}), FakeReply(status=500, headers=limits))
    upstream = Upstream(client, lambda id, header: heard.append((id, header(b"x-ratelimit-remaining-requests"))))
    route = Routes(client, Credentials({}), {}).to(endpoint)
    exchange = Exchange(Call({}, BODY, Mint(), CHAT), USER, parse(BODY), Plan((endpoint,)), Hold(), 1)
    asyncio.run(upstream.whole(exchange, route))
    with pytest.raises(UpstreamError):
        asyncio.run(upstream.whole(exchange, route))
    assert heard == [("one", b"7")]
