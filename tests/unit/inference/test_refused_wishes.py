"""What an endpoint refused is left out of later requests, for an hour."""

import logging

import pytest
from pipelines import served

from trunkline.dialects.hub.conversation import Conversation, ReasoningWish, Sampling
from trunkline.inference import refused_wishes
from trunkline.inference.refused_wishes import REMEMBERED_SECONDS, RefusedWishes
from trunkline.inference.repairs import Repair, without_wish

ONE, TWO = served("one"), served("two")
HOT = Conversation(turns=(), sampling=Sampling(temperature=0.5, top_p=0.9))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def dropping(name: str, *, lasting: bool = True, by_value: bool = False) -> Repair:
    return Repair(lambda one: without_wish(name, one), (name,), lasting=lasting, by_value=by_value)


def after(wishes: RefusedWishes, conversation: Conversation = HOT) -> Conversation:
    repair = wishes.repair(ONE, lambda: conversation)
    return conversation if repair is None else repair(conversation)


def test_a_refused_parameter_is_left_out_at_that_endpoint_only() -> None:
    wishes = RefusedWishes()
    wishes.remember(ONE, HOT, dropping("temperature"))
    repair = wishes.repair(ONE, lambda: HOT)
    assert repair is not None and (repair.names, repair.learned) == (("temperature",), True)
    assert repair(HOT).sampling == Sampling(top_p=0.9)
    assert wishes.repair(TWO, lambda: HOT) is None


def test_several_are_left_out_together() -> None:
    wishes = RefusedWishes()
    wishes.remember(ONE, HOT, dropping("temperature"))
    wishes.remember(ONE, HOT, dropping("top_p"))
    assert after(wishes).sampling == Sampling()


def test_requests_without_the_parameter_are_left_alone() -> None:
    wishes = RefusedWishes()
    wishes.remember(ONE, HOT, dropping("temperature"))
    assert wishes.repair(ONE, lambda: Conversation(turns=())) is None


def test_where_nothing_was_refused_the_conversation_is_not_even_read() -> None:
    def unread() -> Conversation:
        raise AssertionError("read")

    assert RefusedWishes().repair(ONE, unread) is None


def test_it_is_forgotten_after_an_hour() -> None:
    clock = Clock()
    wishes = RefusedWishes(clock)
    wishes.remember(ONE, HOT, dropping("temperature"))
    clock.now = REMEMBERED_SECONDS - 1
    assert after(wishes).sampling.temperature is None
    clock.now = REMEMBERED_SECONDS
    assert after(wishes) is HOT
    wishes.remember(ONE, HOT, dropping("temperature"))
    assert after(wishes).sampling.temperature is None


def test_a_value_that_was_refused_says_nothing_of_others() -> None:
    wishes = RefusedWishes()
    high = Conversation(turns=(), reasoning=ReasoningWish(effort="high"))
    wishes.remember(ONE, HOT, dropping("temperature", by_value=True))
    wishes.remember(ONE, high, dropping("reasoning", by_value=True))
    assert after(wishes).sampling.temperature is None
    other = Conversation(turns=(), sampling=Sampling(temperature=1.0), reasoning=ReasoningWish(effort="low"))
    assert after(wishes, other) is other


def test_repairs_of_one_request_are_not_remembered() -> None:
    wishes = RefusedWishes()
    wishes.remember(ONE, HOT, dropping("temperature", lasting=False))
    wishes.remember(ONE, HOT, dropping("seed"))
    assert after(wishes) is HOT


def test_it_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    wishes = RefusedWishes()
    with caplog.at_level(logging.WARNING, logger=refused_wishes.__name__):
        wishes.remember(ONE, HOT, dropping("temperature"))
        wishes.remember(ONE, HOT, dropping("temperature"))
    assert [one.getMessage() for one in caplog.records] == ["one refuses temperature: it is left out for 3600 s"]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused_wishes, "MOST_REMEMBERED", 3)
    wishes = RefusedWishes()
    for number in range(5):
        warm = Conversation(turns=(), sampling=Sampling(temperature=number / 10 + 0.1))
        wishes.remember(ONE, warm, dropping("temperature", by_value=True))
    kept = [
        number
        for number in range(5)
        if after(wishes, Conversation(turns=(), sampling=Sampling(temperature=number / 10 + 0.1))).sampling == Sampling()
    ]
    assert kept == [2, 3, 4]
