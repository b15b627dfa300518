"""Reads end anywhere: a recorded stream gives the same events however its bytes are cut."""

import random
from collections.abc import Iterable

import pytest
from cassettes import NEEDED, Recording, answers
from replay import events, route

from trunkline.dialects.hub.events import Failure

pytestmark = NEEDED

SEEDED = 64
SMALL = 2048
AROUND = 4
BOUNDARIES = 16
"""How many event boundaries of a stream CI tries, spread evenly, each with one of the shifts; `-m long` tries all with every shift."""


def streams(dialect: str) -> list[Recording]:
    return answers(dialect, streamed=True)


def told(one: Recording, cuts: Iterable[int] = ()) -> list[object]:
    """The events of a stream; errors, which are objects without a value, by what they say."""
    found = events(one, cuts)
    return [(type(event.error), event.error.kind, event.error.message) if isinstance(event, Failure) else event for event in found]


DIALECTS = ("chat", "responses", "messages", "gemini", "converse")


def boundaries(one: Recording) -> list[int]:
    """The offsets at which events end, found without the splitter: by empty lines, or by the lengths of frames."""
    data = one.data
    if one.dialect == "converse":
        ends = [0]
        while ends[-1] < len(data):
            ends.append(ends[-1] + int.from_bytes(data[ends[-1] : ends[-1] + 4], "big"))
        return ends[1:]
    text = data.replace(b"\r\n\r\n", b"\0\0\n\n")
    return [place + 2 for place in range(len(text)) if text.startswith(b"\n\n", place)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_byte_by_byte(dialect: str) -> None:
    for one in streams(dialect):
        assert told(one, range(1, len(one.data))) == told(one), one.file


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_cut_anywhere(dialect: str) -> None:
    """64 seeded offsets; in a small stream all of them."""
    for one in streams(dialect):
        inside = range(1, len(one.data))
        rng = random.Random(one.file)
        cuts = inside if len(one.data) < SMALL else rng.sample(inside, SEEDED)
        whole = told(one)
        for cut in cuts:
            assert told(one, [cut]) == whole, (one.file, cut)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_cut_near_the_end_of_an_event(dialect: str) -> None:
    for one in streams(dialect):
        ends = boundaries(one)
        whole = told(one)
        for number, end in enumerate(ends[:: max(1, len(ends) // BOUNDARIES)]):
            cut = min(max(end - AROUND + number % (2 * AROUND + 1), 1), len(one.data) - 1)
            assert told(one, [cut]) == whole, (one.file, cut)


@pytest.mark.long
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_cut_near_every_end_of_an_event(dialect: str) -> None:
    for one in streams(dialect):
        whole = told(one)
        cuts = {end + shift for end in boundaries(one) for shift in range(-AROUND, AROUND + 1)}
        for cut in sorted(cuts & set(range(1, len(one.data)))):
            assert told(one, [cut]) == whole, (one.file, cut)


def test_there_is_something_to_cut() -> None:
    for dialect in DIALECTS:
        assert any(len(boundaries(one)) > 5 for one in streams(dialect))
        for one in streams(dialect):
            assert route(one, "chat").splitter().feed(b"") == []
