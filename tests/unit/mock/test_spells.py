from trunkline.mock.script import Fault, Spell
from trunkline.mock.spells import Spells


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def hits(spells: Spells, count: int) -> int:
    return sum(spells.cast() is not None for _ in range(count))


def test_a_spell_is_on_from_its_start_to_its_end() -> None:
    clock = Clock()
    spells = Spells([Spell(start=10, end=20)], clock)
    found = []
    for clock.now in (0, 9.9, 10, 19.9, 20, 30):
        found.append(hits(spells, 1))
    assert found == [0, 0, 1, 1, 0, 0]


def test_no_end_is_for_ever() -> None:
    clock = Clock()
    clock.now = 1e9
    assert hits(Spells([Spell()], clock), 3) == 3


def test_a_share_is_spread_evenly() -> None:
    spells = Spells([Spell(share=0.3)], Clock())
    assert [hits(spells, 10) for _ in range(5)] == [3] * 5
    assert hits(Spells([Spell(share=0)], Clock()), 10) == 0


def test_a_rate_lets_calls_through() -> None:
    clock = Clock()
    spells = Spells([Spell(rate=5)], clock)
    assert hits(spells, 8) == 3
    clock.now = 0.4
    assert hits(spells, 8) == 6
    clock.now = 100
    assert hits(spells, 8) == 3


def test_the_first_that_hits_wins() -> None:
    half, other = Spell(name="half", share=0.5, fault=Fault(kind="hang")), Spell(name="other")
    spells = Spells([half, other], Clock())
    assert [spell.name for spell in (spells.cast() for _ in range(4)) if spell] == ["other", "half", "other", "half"]
