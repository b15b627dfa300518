"""One attempt: what counts as the first content, and what is no answer."""

import asyncio
import time

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
