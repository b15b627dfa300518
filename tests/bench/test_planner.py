from bench.planner import ALL, CASES, ENDPOINTS, ORDERED, SORTED, Cost, batch, measure, report

from trunkline.protocol.routing import Preferences
from trunkline.routing.boards import Boards
from trunkline.routing.plan import make_plan


def test_nothing_is_left_out_so_that_no_case_becomes_cheaper() -> None:
    for case in CASES:
        plan = make_plan(case.facts, [ENDPOINTS[: case.endpoints]], case.health, case.wish, 0.5, Boards())
        assert (len(plan.attempts), plan.excluded) == (case.endpoints, ())


def test_all_preferences_are_set() -> None:
    default = Preferences()
    unset = {name for name in Preferences.__struct_fields__ if getattr(ALL, name) == getattr(default, name)}
    assert unset == {"order", "sort", "allow_fallbacks"}
    assert SORTED.sort
    assert ORDERED.order


def test_a_missed_limit_is_told() -> None:
    found = measure(CASES[:2], batches=2, plans=2)
    assert all(cost.next > 0 and cost.first > 0 for cost in found)
    assert batch(CASES[0], 2, None) > 0
    table = report(CASES[:2], [Cost(19.9, 30.0), Cost(20.0, 30.0)]).splitlines()
    assert table[2].endswith("| < 20 | met |")
    assert table[3].endswith("| < 20 | **missed** |")
