from collections import Counter

from trunkline.routing.routers.contender import Contender
from trunkline.routing.routers.free import choose

MODELS = [Contender(f"a/{name}", free=True) for name in "dbca"] + [Contender("a/paid", prompt_price=1)]


def test_each_free_model_comes_first_as_often() -> None:
    first = Counter(choose(MODELS, seed / 100)[0] for seed in range(100))
    assert first == {"a/a": 25, "a/b": 25, "a/c": 25, "a/d": 25}


def test_others_stand_behind_it() -> None:
    assert choose(MODELS, 0.99) == ["a/d", "a/a", "a/b"]
    assert choose(MODELS[-1:], 0.5) == []


def test_a_conversation_goes_on_with_its_model() -> None:
    assert choose(MODELS, 0.0, before="a/d") == ["a/d", "a/a", "a/b"]
    assert choose(MODELS, 0.0, before="a/paid") == ["a/a", "a/b", "a/c"]
