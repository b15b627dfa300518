"""A third of the fleet fails all the time, and callers see nothing of it before their first content, nor a lie after it."""

from pathlib import Path

import pytest
from bench.fleet import GOAL, Pass, deaths, play, returns
from bench.market import Plan, outages

SHORT = Plan(phases=1, seconds=5, rest=0, rate=15, patience=8)
"""Patient and few requests, since a busy machine may keep a good endpoint waiting as well: one request that finds none is one too many."""


def check(done: Pass) -> None:
    """What holds on any machine."""
    told = [one.why for one in done.answers if one.outcome in ("refused", "dishonest")]
    assert done.success >= GOAL, told
    assert done.count("dishonest") == 0, told
    assert done.count("whole") > 0


def test_while_a_third_of_the_fleet_fails_requests_succeed(tmp_path: Path) -> None:
    done = play(SHORT, "routed", tmp_path)
    check(done)
    hit = [call for calls in done.seen.values() for _, call in calls if call.spell]
    assert len({call.spell for call in hit}) > 3, "the fleet was in trouble"


@pytest.mark.long
def test_routing_is_better_than_any_fixed_endpoint(tmp_path: Path) -> None:
    plan = Plan()
    routed, fixed = play(plan, "routed", tmp_path / "routed"), play(plan, "fixed", tmp_path / "fixed")
    check(routed)
    assert fixed.success < 0.9
    assert fixed.count("dishonest") == 0
    left = deaths(routed, outages(plan))
    assert left
    assert max(one.seconds for one in left) < 2 * plan.patience + 1
    assert returns(routed, outages(plan), plan.length), "those that recovered are used again"
