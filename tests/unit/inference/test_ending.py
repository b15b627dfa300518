"""Errors inside of answers."""

import asyncio
from typing import Any

import msgspec
import pytest
from pipelines import USER, Bench, Outcome, never, served

from trunkline.errors import ApiError
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.ending import best, told_inside
from trunkline.inference.reply import AsgiReply
from trunkline.inference.skins import CHAT, MESSAGES, RESPONSES, Skin

TOO_LONG = ApiError("context_length_exceeded", "The prompt is too long")


def body(skin: Skin, stream: bool) -> bytes:
    said: dict[str, Any] = {"input": "hi"} if skin is RESPONSES else {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
    return msgspec.json.encode({"model": "a/m", "stream": stream, **said})


async def admitted(skin: Skin, stream: bool) -> Exchange:
    bench, call = Bench([served("one")]), Call({}, body(skin, stream), Mint(), skin)
    return await bench.pipeline.admit(call, USER, skin.parse(call.body))


def told(skin: Skin, *, stream: bool, begun: bool = False) -> tuple[bool, Outcome]:
    outcome = Outcome()

    async def run() -> bool:
        reply = AsgiReply(outcome.send, never, [])
        if begun:
            await reply.write(b": hello\n\n")
        return await told_inside(await admitted(skin, stream), reply, TOO_LONG)

    return asyncio.run(run()), outcome


@pytest.mark.parametrize("skin", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [False, True])
def test_before_anything_is_sent_a_status_can_tell_it(skin: Skin, stream: bool) -> None:
    inside, outcome = told(skin, stream=stream)
    assert not inside
    assert (outcome.status, outcome.pieces) == (0, [])


@pytest.mark.parametrize(("skin", "word"), [(CHAT, b"too long"), (MESSAGES, b"too long"), (RESPONSES, b"context_length_exceeded")])
def test_a_stream_that_has_begun_ends_with_the_error(skin: Skin, word: bytes) -> None:
    inside, outcome = told(skin, stream=True, begun=True)
    assert inside and outcome.ended
    assert word in outcome.body


def test_responses_that_are_too_long_are_incomplete_answers() -> None:
    inside, outcome = told(RESPONSES, stream=False)
    assert inside and outcome.status == 200
    assert outcome.json["status"] == "incomplete"
    inside, outcome = told(RESPONSES, stream=True)
    assert inside and outcome.ended
    assert b"response.incomplete" in outcome.body


def test_without_a_failed_answer_there_is_nothing_to_tell() -> None:
    async def run() -> None:
        exchange = await admitted(CHAT, False)
        before = exchange.endpoint
        assert best(exchange, lambda _exchange, _error: None) is None
        assert exchange.endpoint is before

    asyncio.run(run())
