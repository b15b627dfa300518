"""What is remembered of a model's endpoints, and when it is made anew."""

import pytest
from endpoints import endpoint

from trunkline.protocol.health import EndpointHealth, HealthSnapshot, Percentiles
from trunkline.protocol.routing import NO_PREFERENCES, Preferences, RequestFacts
from trunkline.routing import boards as module
from trunkline.routing.boards import Arrangement, Board, Boards, Wish
from trunkline.routing.order import arrange

FLEET = (endpoint("a", 1), endpoint("b", 2, byok="k", byok_fallback=True), endpoint("c", 3))
HEALTHY = HealthSnapshot()
FACTS = RequestFacts(("a/m",))
WISH: Wish = (None, False, "", False, None, None)


def test_columns_of_a_board() -> None:
    board = Board(FLEET, [EndpointHealth(), EndpointHealth(2), EndpointHealth(standing="degraded")])
    assert (board.prices, board.credentials, board.demotions) == ([1, 2, 3], [1, 2, 1], [0, 2, 1])
    assert board.ids == {"a", "b", "c"}
    assert not board.may_wait
    assert Board(FLEET, [EndpointHealth(), EndpointHealth(probing=True)]).may_wait
    assert Board(FLEET, [EndpointHealth(ejected_until=5.0)]).may_wait


@pytest.mark.parametrize(("scope", "cools"), [(("a", ""), True), (("k", "a/m"), True), (("b", ""), False), (("z", "a/m"), False)])
def test_a_cool_down_concerns_those_with_the_credential(scope: tuple[str, str], cools: bool) -> None:
    assert Board(FLEET, []).cools({scope: 9.0}) is cools
    assert not Board(FLEET, []).cools({})


def test_a_board_stays_until_an_entry_is_replaced() -> None:
    boards = Boards()
    fast = EndpointHealth(throughput=Percentiles(9, 9, 9, 9))
    known = {"c": fast, "z": EndpointHealth(3)}
    first = boards.of(FLEET, HealthSnapshot(known))
    known["z"] = EndpointHealth(4)
    assert boards.of(FLEET, HealthSnapshot(known, now=99.0)) is first
    known["c"] = EndpointHealth(1)
    second = boards.of(FLEET, HealthSnapshot(known))
    assert second is not first
    assert second.demotions == [0, 0, 2]


def test_other_endpoints_have_another_board() -> None:
    boards = Boards()
    alike = (FLEET[0], FLEET[1], FLEET[2])
    assert alike is not FLEET
    assert boards.of(FLEET, HEALTHY) is not boards.of(alike, HEALTHY)
    assert boards.of(FLEET, HEALTHY) is boards.of(FLEET, HEALTHY)


@pytest.mark.parametrize("endpoints", [list(FLEET), FLEET[1:]])
def test_what_is_of_one_request_is_not_remembered(endpoints: list[object]) -> None:
    boards = Boards()
    assert boards.of(endpoints, HEALTHY) is not boards.of(endpoints, HEALTHY)  # type: ignore[arg-type]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BOARDS", 2)
    monkeypatch.setattr(module, "MOST_ARRANGEMENTS", 2)
    boards = Boards()
    fleets = [(endpoint("a", price),) for price in range(5)]
    kept = [boards.of(fleet, HEALTHY) for fleet in fleets]
    assert boards.of(fleets[4], HEALTHY) is kept[4]
    assert boards.of(fleets[0], HEALTHY) is not kept[0]
    made: list[int] = []
    board = kept[0]

    def make() -> Arrangement:
        made.append(1)
        return Arrangement(())

    wishes = [(sort, *WISH[1:]) for sort in ("price", "latency", "throughput")]
    for wish in (*wishes, wishes[2], wishes[0]):
        board.arrangement(wish, make)  # type: ignore[arg-type]
    assert len(made) == 4


def test_a_request_does_not_change_what_the_next_one_gets() -> None:
    boards = Boards()
    for seed in (0.0, 0.99, 0.5, 0.99, 0.0):
        assert arrange(FLEET, FACTS, HEALTHY, NO_PREFERENCES, (), seed, boards) == arrange(FLEET, FACTS, HEALTHY, NO_PREFERENCES, (), seed)
    assert arrange(FLEET, FACTS, HEALTHY, Preferences(sort="price"), (), 0.9, boards).attempts[0].tag == "a"
