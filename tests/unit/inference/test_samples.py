"""Which requests are looked at for their kind of task, and what is kept of that."""

import asyncio
import threading
from typing import Any, NoReturn

import msgspec
import pytest
from msgspec import structs
from pipelines import USER, served

from trunkline.errors import ApiError
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.samples import LARGEST_PROMPT, Samples
from trunkline.inference.skins import CHAT, MESSAGES, Skin
from trunkline.limits.account import Hold
from trunkline.protocol.request import Chosen
from trunkline.protocol.routing import Plan

HI = [{"role": "user", "content": "Hi"}]


def exchange_of(skin: Skin = CHAT, *, started: float = 100.0, **fields: Any) -> Exchange:
    """An exchange that has just been admitted."""
    call = Call({}, msgspec.json.encode({"model": "a/m", "messages": HI, **fields}), Mint(), skin)
    call.started = started
    return Exchange(call, USER, skin.parse(call.body), Plan((served("one"),)), Hold(), 1)


class Task:
    """Tells the kind of task, and remembers where it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.threads: set[int] = set()

    def __call__(self, text: str) -> str:
        self.asked.append(text)
        self.threads.add(threading.get_ident())
        return "general:chat"


def looked(samples: Samples, *exchanges: Exchange) -> list[str | None]:
    """What became known of exchanges that are admitted one after the other."""

    async def run() -> None:
        for exchange in exchanges:
            if exchange.call.started >= samples.due:
                samples.take(exchange)
        async with asyncio.timeout(30):
            while any(task.get_name() == "task-sample" for task in asyncio.all_tasks()):
                await asyncio.sleep(0.001)

    asyncio.run(run())
    return [exchange.task for exchange in exchanges]


def test_one_request_in_a_while_is_looked_at_off_the_loop() -> None:
    task = Task()
    samples = Samples(lambda: 2.0, task)
    given = [exchange_of(started=started) for started in (100.0, 101.9, 102.0, 103.0)]
    assert looked(samples, *given) == ["general:chat", None, "general:chat", None]
    assert samples.due == 104.0
    assert task.threads.isdisjoint({threading.get_ident()})


@pytest.mark.parametrize("skin", [CHAT, MESSAGES])
def test_it_is_the_last_thing_that_was_said(skin: Skin) -> None:
    task = Task()
    said = [{"role": "user", "content": "First"}, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Then"}]
    looked(Samples(lambda: 1.0, task), exchange_of(skin, messages=said, max_tokens=5))
    assert task.asked == ["Then"]


def test_a_sampler_that_is_off_looks_at_nothing_until_it_is_on() -> None:
    task, seconds = Task(), [0.0]
    samples = Samples(lambda: seconds[0], task)
    assert looked(samples, exchange_of()) == [None]
    seconds[0] = 1.0
    assert looked(samples, exchange_of(started=159.0), exchange_of(started=160.0)) == [None, "general:chat"]


def test_what_a_router_chose_and_what_is_long_or_silent_is_left_alone() -> None:
    task = Task()
    routed, long, silent = exchange_of(), exchange_of(), exchange_of(messages=[{"role": "user", "content": ""}])
    routed.request = structs.replace(routed.request, chosen=Chosen("openrouter/free"))
    long.request = structs.replace(long.request, prompt_bytes=LARGEST_PROMPT + 1)
    for exchange in (routed, long, silent):
        assert looked(Samples(lambda: 1.0, task), exchange) == [None]
    assert task.asked == []


def test_the_task_that_a_router_saw_is_known_from_the_start() -> None:
    exchange = exchange_of()
    request = structs.replace(exchange.request, chosen=Chosen("openrouter/auto", "data:sql"))
    assert Exchange(exchange.call, USER, request, exchange.plan, Hold(), 1).task == "data:sql"


def test_a_prompt_that_nobody_can_read_is_left_alone() -> None:
    def refuse(_request: object) -> NoReturn:
        raise ApiError("invalid_request", "messages[0]: What is this?")

    task = Task()
    exchange = exchange_of(structs.replace(CHAT, conversation=refuse))
    assert looked(Samples(lambda: 1.0, task), exchange) == [None]
    assert task.asked == []
