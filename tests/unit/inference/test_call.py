"""Calls: an id of their own, headers cut to a sane length."""

import os

import pytest
from endpoints import endpoint
from msgspec import Raw
from msgspec.structs import replace
from pipelines import USER

from trunkline.dialects.chat.request import ChatRequest, parse
from trunkline.dialects.hub.conversation import Conversation, Text
from trunkline.inference.call import HEADER_LIMIT, IDS_A_DRAW, Call, Exchange, Mint
from trunkline.inference.skins import CHAT, MESSAGES
from trunkline.limits.account import Hold
from trunkline.plugins.compression import Compression
from trunkline.plugins.staged import Staged
from trunkline.protocol.catalogue import Timeouts
from trunkline.protocol.identity import generation_bytes, unix_ms
from trunkline.protocol.routing import Plan
from trunkline.transport.response import Response


def test_the_id_holds_the_time_of_acceptance() -> None:
    call = Call({}, b"{}", Mint(), CHAT)
    assert generation_bytes(call.id_text) == call.id
    assert unix_ms(call.id) == call.created_ms
    assert Call({}, b"{}", Mint(), CHAT).id != call.id


def test_headers_are_bounded_text() -> None:
    call = Call({b"x-title": b"\xe9" + b"a" * 10_000, b"empty": b""}, b"", Mint(), CHAT)
    title = call.header(b"x-title")
    assert title is not None
    assert len(title) == HEADER_LIMIT
    assert title[0] == "é"
    assert call.header(b"empty") is None
    assert call.header(b"absent") is None


def test_only_an_endpoint_that_bills_on_bills_on() -> None:
    exchange = Exchange(Call({}, b"", Mint(), CHAT), USER, ChatRequest(fields={}), Plan(()), Hold(), 1)
    assert not exchange.bills_on()
    exchange.endpoint = replace(endpoint("a"), on_cancel="stops")
    assert not exchange.bills_on()
    exchange.endpoint = replace(endpoint("a"), on_cancel="bills_on")
    assert exchange.bills_on()


@pytest.mark.parametrize(("status", "billed"), [(200, True), (500, False), (302, False)])
def test_an_endpoint_bills_a_request_that_it_has_and_does_not_refuse(status: int, billed: bool) -> None:
    exchange = Exchange(Call({}, b"", Mint(), CHAT), USER, ChatRequest(fields={}), Plan(()), Hold(), 1)
    assert not exchange.is_billed()
    exchange.response = Response(Timeouts(), sent_at=0.0)
    assert not exchange.is_billed(), "it has not gone out"
    exchange.response.begin(status, [])
    assert exchange.is_billed() == billed


def test_randomness_is_drawn_for_many_ids_and_used_once() -> None:
    draws: list[int] = []

    def draw(size: int) -> bytes:
        draws.append(size)
        return os.urandom(size)

    mint = Mint(draw)
    ids = {mint.mint(1) for _ in range(IDS_A_DRAW + 1)}
    assert len(ids) == IDS_A_DRAW + 1
    assert len(draws) == 2


BODY = b'{"model":"a/m","messages":[{"role":"user","content":"%b"}]}' % (b"x" * 8000)


def staged_exchange() -> Exchange:
    call = Call({}, BODY, Mint(), CHAT)
    request = parse(BODY)
    staged = Staged(CHAT.conversation(request), [Compression(lambda _model, size: size // 4)])
    return Exchange(call, USER, request, Plan(()), Hold(), 1, staged)


def length(conversation: Conversation) -> int:
    [block] = conversation.turns[0].blocks
    assert isinstance(block, Text)
    return len(block.text)


def test_most_exchanges_are_sent_as_they_came() -> None:
    exchange = Exchange(Call({}, BODY, Mint(), CHAT), USER, parse(BODY), Plan(()), Hold(), 1)
    exchange.endpoint = endpoint("a")
    assert not exchange.edited
    assert exchange.notes == []
    assert exchange.conversation() is exchange.original()
    exchange.repair = lambda conversation: replace(conversation, max_tokens=7)
    assert exchange.edited
    assert exchange.conversation().max_tokens == 7
    assert exchange.original().max_tokens is None


def test_a_staged_exchange_is_sent_as_its_endpoint_needs_it() -> None:
    exchange = staged_exchange()
    exchange.endpoint = replace(endpoint("large"), context_length=100_000)
    assert not exchange.edited and exchange.notes == []
    exchange.endpoint = replace(endpoint("small"), context_length=1000)
    assert exchange.edited
    assert length(exchange.conversation()) < 4000 < length(exchange.original())
    assert [note.type for note in exchange.notes] == ["context_compression"]
    exchange.repair = lambda conversation: replace(conversation, max_tokens=7)
    assert exchange.conversation().max_tokens == 7 and length(exchange.conversation()) < 4000


def test_files_that_were_loaded_serve_all_attempts() -> None:
    exchange = staged_exchange()
    exchange.give(replace(exchange.original(), verbosity="low"))
    exchange.endpoint = replace(endpoint("small"), context_length=1000)
    assert exchange.conversation().verbosity == "low"


def test_a_call_knows_its_query() -> None:
    assert Call({}, b"", Mint(), CHAT, b"dialect=chat").query == b"dialect=chat"
    assert Call({}, b"", Mint(), CHAT).query == b""


def test_bodies_are_noted_only_for_who_wants_to_see_them() -> None:
    debug = {"debug": Raw(b'{"echo_upstream_body":true}')}
    for skin, seen in ((CHAT, b'"debug":{"echo_upstream_body":{}}'), (MESSAGES, b"")):
        exchange = Exchange(Call({}, b"", Mint(), skin), USER, ChatRequest(fields=debug, stream=True), Plan(()), Hold(), 1)
        assert exchange.echoes == []
        assert exchange.echoed() == b""
        exchange.echoes.append((endpoint("a"), b"{}"))
        assert seen in exchange.echoed() and bool(seen) == bool(exchange.echoed())
    quiet = Exchange(Call({}, b"", Mint(), CHAT), USER, ChatRequest(fields={}, stream=True), Plan(()), Hold(), 1)
    assert quiet.echoes is None and quiet.echoed() == b""


def test_attempts_beside_each_other_change_only_their_own_copy() -> None:
    one, two = endpoint("one"), endpoint("two", on_cancel="bills_on")
    exchange = Exchange(Call({}, b"", Mint(), CHAT), USER, ChatRequest(fields={}), Plan((one, two)), Hold(), 1)
    exchange.endpoint, exchange.sent_at = one, 1.0
    twin = exchange.fork()
    twin.endpoint, twin.sent_at, twin.hedge = two, 2.0, True
    twin.give(Conversation(turns=()))
    assert (exchange.endpoint, exchange.sent_at, exchange.hedge, exchange._conversation) == (one, 1.0, False, None)
    assert twin.attempts is exchange.attempts and twin.call is exchange.call
    exchange.adopt(twin)
    assert (exchange.endpoint, exchange.sent_at, exchange.hedge) == (two, 2.0, True)
    assert exchange.original() is twin.original()


def test_who_listens_hears_that_the_client_left() -> None:
    exchange = Exchange(Call({}, b"", Mint(), CHAT), USER, ChatRequest(fields={}), Plan(()), Hold(), 1)
    exchange.endpoint = endpoint("one", on_cancel="bills_on")
    assert exchange.left()
    heard: list[str] = []
    exchange.on_left = lambda: heard.append("left")
    exchange.endpoint = endpoint("one", on_cancel="stops")
    assert not exchange.left()
    assert heard == ["left"]
