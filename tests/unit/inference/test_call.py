"""Calls: an id of their own, headers cut to a sane length."""

import os

from endpoints import endpoint
from msgspec.structs import replace
from pipelines import USER

from trunkline.dialects.chat.request import ChatRequest
from trunkline.inference.call import HEADER_LIMIT, IDS_A_DRAW, Call, Exchange, Mint
from trunkline.inference.skins import CHAT
from trunkline.limits.account import Hold
from trunkline.protocol.identity import generation_bytes, unix_ms
from trunkline.protocol.routing import Plan


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


def test_randomness_is_drawn_for_many_ids_and_used_once() -> None:
    draws: list[int] = []

    def draw(size: int) -> bytes:
        draws.append(size)
        return os.urandom(size)

    mint = Mint(draw)
    ids = {mint.mint(1) for _ in range(IDS_A_DRAW + 1)}
    assert len(ids) == IDS_A_DRAW + 1
    assert len(draws) == 2
