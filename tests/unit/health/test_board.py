"""What workers tell each other."""

import os
from collections.abc import Iterator

import pytest

from trunkline.health.board import LOOK_SECONDS, MOST_NOTICES, PLACE_BYTES, Board, News, Notice, open_board

NEWS = News({"e": Notice(130.0, 0.0), "f": Notice(0.0, 160.0)}, {("acme", "a/m"): 150.0, ("acme", ""): 700.0})


@pytest.fixture
def descriptor() -> Iterator[int]:
    opened = open_board(3)
    yield opened
    os.close(opened)


def test_what_one_puts_up_the_others_read_once(descriptor: int) -> None:
    one, two = Board(descriptor, 0), Board(descriptor, 1)
    two.read(100.0)
    one.publish(NEWS)
    assert two.read(100.0) == NEWS
    assert two.read(100.0) is None
    one.publish(News())
    assert two.read(100.0) == News()


def test_nobody_reads_its_own_place(descriptor: int) -> None:
    one = Board(descriptor, 0)
    one.read(100.0)
    one.publish(NEWS)
    assert one.read(100.0) is None


def test_the_news_of_all_others_are_joined(descriptor: int) -> None:
    boards = [Board(descriptor, number) for number in range(3)]
    boards[0].publish(NEWS)
    boards[1].publish(News({"e": Notice(110.0, 140.0), "g": Notice(1.0, 0.0)}, {("acme", ""): 650.0}))
    news = boards[2].read(100.0)
    assert news is not None
    assert news.endpoints == {"e": Notice(130.0, 140.0), "f": Notice(0.0, 160.0), "g": Notice(1.0, 0.0)}
    assert news.cooldowns == NEWS.cooldowns


def test_the_successor_of_a_dead_worker_begins_anew(descriptor: int) -> None:
    one, two = Board(descriptor, 0), Board(descriptor, 1)
    one.publish(NEWS)
    assert two.read(100.0) == NEWS
    successor = Board(descriptor, 0)
    assert two.read(100.0) == News()
    successor.publish(NEWS)
    assert two.read(100.0) == NEWS


def test_a_place_that_is_being_written_is_read_later(descriptor: int) -> None:
    one, two = Board(descriptor, 0), Board(descriptor, 1)
    one.publish(NEWS)
    assert two.read(100.0) == NEWS
    one.publish(News({"e": Notice(131.0, 0.0)}))
    whole = os.pread(descriptor, PLACE_BYTES, 0)
    os.pwrite(descriptor, b"\xff", 20)
    assert two.read(100.0) is None
    os.pwrite(descriptor, whole, 0)
    assert two.read(100.0) == News({"e": Notice(131.0, 0.0)})


def test_it_is_looked_at_a_few_times_a_second(descriptor: int) -> None:
    board = Board(descriptor, 0)
    assert board.is_due(100.0)
    board.read(100.0)
    assert not board.is_due(100.0 + LOOK_SECONDS / 2)
    assert board.is_due(100.0 + LOOK_SECONDS)


def test_more_than_fits_is_cut_to_what_lasts_longest(descriptor: int) -> None:
    one, two = Board(descriptor, 0), Board(descriptor, 1)
    one.publish(News({f"e{number}": Notice(float(number), 0.0) for number in range(3 * MOST_NOTICES)}))
    news = two.read(0.0)
    assert news is not None
    assert set(news.endpoints) == {f"e{number}" for number in range(2 * MOST_NOTICES, 3 * MOST_NOTICES)}
    one.publish(News({"x" * PLACE_BYTES: Notice(1.0, 1.0)}))
    assert two.read(0.0) == News()
