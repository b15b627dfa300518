from bench.junction import CHATTY, PERIOD_S, ROADS, members, troubles


def test_there_is_always_a_way_and_never_calm() -> None:
    spells = troubles(1_800)
    for period in range(int(1_800 / PERIOD_S)):
        moment = period * PERIOD_S + 1
        down = {name for name, ones in spells.items() if any(one.start <= moment < one.end for one in ones)}
        assert 2 <= len(down) <= 3
        assert not down >= set(CHATTY)


def test_the_play_is_the_same_each_time() -> None:
    assert members(600, range(1, 7)) == members(600, range(1, 7))
    assert [one.port for one in members(60, range(1, 7))] == [1, 2, 3, 4, 5, 6]
    assert len({road.name for road in ROADS}) == len(ROADS)
