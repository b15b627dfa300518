import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.protocol.traffic import Use
from trunkline.routing.routers.auto import BANDS, choose, permitted, within
from trunkline.routing.routers.contender import Contender
from trunkline.routing.routers.options import AutoBetaOptions

TEN = [Contender(f"a/m{cost}", prompt_price=cost, spent_week=cost) for cost in range(1, 11)]


def options(**changes: object) -> AutoBetaOptions:
    return AutoBetaOptions(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tier", "chosen"),
    [
        (None, ["a/m2", "a/m1"]),
        ("low", ["a/m2", "a/m1"]),
        ("medium", ["a/m4", "a/m3"]),
        ("high", ["a/m6", "a/m5"]),
        ("xhigh", ["a/m8", "a/m7"]),
        ("max", ["a/m10", "a/m9"]),
    ],
)
def test_a_tier_is_a_band_of_cost(tier: str | None, chosen: list[str]) -> None:
    assert choose(TEN, options(cost_tier=tier)) == chosen


@pytest.mark.parametrize(("setting", "dearest"), [(10, 2), (9, 2), (5, 6), (0, 10)])
def test_the_older_setting_is_a_ceiling(setting: int, dearest: int) -> None:
    assert choose(TEN, options(cost_quality_tradeoff=setting))[0] == f"a/m{dearest}"
    assert choose(TEN, options(cost_quality_tradeoff=setting, cost_tier="high"))[0] == "a/m6"


def test_what_is_excluded_stays_out_even_where_it_is_allowed() -> None:
    kept = permitted(TEN, options(allowed_models=("a/m1*", "A/M5"), excluded_models=("*0",)))
    assert [one.id for one in kept] == ["a/m1", "a/m5"]
    assert choose(TEN, options(allowed_models=())) == []


def test_without_a_table_the_most_spent_on_comes_first() -> None:
    busy = [Contender(f"a/m{place}", prompt_price=5, spent_week=week) for place, week in enumerate((3, 9, 0, 7, 1))]
    assert choose(busy, options()) == ["a/m1", "a/m3", "a/m0"]


def test_free_models_are_chosen_only_among_themselves() -> None:
    free = Contender("a/free", free=True)
    assert choose([free, *TEN], options()) == ["a/m2", "a/m1"]
    assert choose([free], options()) == ["a/free"]


def test_a_table_ranks_by_patterns() -> None:
    assert choose(TEN, options(cost_tier="max"), ["a/m9", "a/m1*", "b/*"]) == ["a/m10"]
    assert choose(TEN, options(cost_quality_tradeoff=0), ["a/m3", "a/m1", "a/m7"]) == ["a/m3", "a/m1", "a/m7"]
    assert choose(TEN, options(), ["b/*"]) == choose(TEN, options())


def test_what_callers_spend_for_the_task_comes_first_within_the_band() -> None:
    used = {"a/m1": Use(60, 6000, 0, 0, 6000), "a/m9": Use(60, 6000, 0, 0, 54_000)}
    assert choose(TEN, options(), used=used) == ["a/m1", "a/m2"]
    assert choose(TEN, options(cost_tier="max"), used=used) == ["a/m9", "a/m10"]
    assert choose(TEN, options(cost_quality_tradeoff=0), used=used) == ["a/m9", "a/m1", "a/m10"]


def test_a_table_says_which_models_and_callers_in_which_order() -> None:
    used = {"a/m7": Use(60, 6000, 0, 0, 42_000), "a/m5": Use(60, 6000, 0, 0, 30_000)}
    table = ["a/m3", "a/m1", "a/m7"]
    assert choose(TEN, options(cost_quality_tradeoff=0), table, used=used) == ["a/m7", "a/m3", "a/m1"]


def test_a_model_that_answers_briefly_may_be_in_a_cheaper_band() -> None:
    used = {"a/m10": Use(60, 6000, 0, 0, 600), "a/m1": Use(60, 6000, 0, 0, 6000)}
    assert choose(TEN, options(), used=used) == ["a/m1", "a/m10"]


def test_a_conversation_keeps_its_model_while_it_is_a_candidate() -> None:
    assert choose(TEN, options(), before="a/m1") == ["a/m1", "a/m2"]
    assert choose(TEN, options(), before="a/m9") == ["a/m2", "a/m1"]
    assert choose(TEN, options(), before="a/m9", pinned=True) == ["a/m9", "a/m2", "a/m1"]
    assert choose(TEN, options(excluded_models=("a/m9",)), before="a/m9", pinned=True) == ["a/m2", "a/m1"]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.sampled_from(sorted(BANDS)))
def test_a_band_is_never_empty(prices: list[int], tier: str) -> None:
    contenders = [Contender(f"a/{place}", prompt_price=price) for place, price in enumerate(prices)]
    kept = within(contenders, *BANDS[tier], [one.cost for one in contenders])
    assert kept
    assert [one for one in contenders if one in kept] == kept
