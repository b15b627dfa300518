"""What routers make of a request. The whole way is tested in tests/integration/gateway/test_routers.py."""

import asyncio
from typing import Any

import msgspec
import pytest
from endpoints import endpoint
from msgspec import structs
from pipelines import USER

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.config import RoutersTable, TrafficTable
from trunkline.errors import ApiError
from trunkline.inference.call import Call, Mint
from trunkline.inference.classifier import Classifier
from trunkline.inference.contenders import Contenders
from trunkline.inference.routers import AUTO_SECONDS, PARETO_SECONDS, Routers, names_router
from trunkline.inference.skins import CHAT, TEXT, Skin
from trunkline.protocol.catalogue import Model, Pricing, Reasoning
from trunkline.protocol.request import Chosen, InboundRequest
from trunkline.protocol.traffic import Traffic, Use

PRICES = {"a/cheap-1": 1, "a/cheap-2": 2, "a/middle-1": 10, "a/dear-1": 90, "b/gratis:free": 0, "c/gratis:free": 0}
ALWAYS = Reasoning(mandatory=True, supported_efforts=("high", "low"))
MODELS = [Model(id=id, name=id, author=id[0], canonical_slug=id, created=price, reasoning=ALWAYS) for id, price in PRICES.items()]
ENDPOINTS = [structs.replace(endpoint("x"), id=f"{id}@x", model=id, pricing=Pricing(prompt=price)) for id, price in PRICES.items()]
CATALOGUE = Catalogue(models=MODELS, endpoints=ENDPOINTS, providers={}, authors={}, missing={})
SCORES = {"a/cheap-1": 0.5, "A/Middle-1": 0.8, "a/dear-1": 0.9}


class Stand:
    """Routers with a clock and a table of one's own."""

    def __init__(self, **table: Any) -> None:
        self.now = 0.0
        self.table = RoutersTable(**table)
        self.traffic = Traffic()
        self.routers = Routers(
            lambda: CATALOGUE,
            lambda: self.table,
            Contenders(Traffic, dict),
            Classifier(None),
            traffic=lambda: self.traffic,
            draw=lambda: 0.0,
            clock=lambda: self.now,
        )

    def serve(self, *models: str, **fields: Any) -> InboundRequest:
        """Expand, and have the first model answer."""
        request = self.expand(*models, **fields)
        assert request.chosen is not None
        self.routers.served(request.chosen, request.models[0])
        return request

    def expand(self, *models: str, skin: Skin = CHAT, headers: dict[bytes, bytes] | None = None, **fields: Any) -> InboundRequest:
        said: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]} if skin is CHAT else {"prompt": "Hello"}
        body = {"model": models[0], "models": list(models[1:]), **said, **fields}
        call = Call(headers or {}, msgspec.json.encode(body), Mint(), skin)
        return asyncio.run(self.routers.expand(call, USER, skin.parse(call.body)))


def plugin(id: str, **options: Any) -> list[dict[str, Any]]:
    return [{"id": id, **options}]


def test_only_routers_and_the_latest_come_here() -> None:
    assert not names_router(())
    assert not names_router(("a/m", "openai/gpt-5:nitro", "openrouterx/y", ""))
    for slug in ("openrouter/auto", "OpenRouter/Free", "~a/m-latest"):
        assert names_router(("a/m", slug))


def test_auto_becomes_a_primary_and_fallbacks() -> None:
    request = Stand().expand("openrouter/auto", plugins=plugin("auto-router", cost_quality_tradeoff=0))
    assert request.models == ("a/dear-1", "a/middle-1", "a/cheap-2")
    assert request.model == "openrouter/auto"
    assert request.chosen is not None
    assert request.chosen.router == "openrouter/auto"
    assert request.chosen.task


def test_dynamic_variants_stay_with_what_is_chosen() -> None:
    request = Stand().expand("OpenRouter/Auto-Beta:Floor", plugins=plugin("auto-beta-router", allowed_models=["*cheap*"]))
    assert request.models == ("a/cheap-1:floor",)


def test_each_slug_reads_only_its_own_plugin() -> None:
    both = plugin("auto-router", allowed_models=["*dear*"]) + plugin("auto-beta-router", allowed_models=["*middle*"])
    assert Stand().expand("openrouter/auto", plugins=both).models == ("a/dear-1",)
    assert Stand().expand("openrouter/auto-beta", plugins=both).models == ("a/middle-1",)


def test_a_table_of_the_operator_ranks() -> None:
    stand = Stand(auto={"*": ("a/dear-*", "a/middle-1")})
    assert stand.expand("openrouter/auto", plugins=plugin("auto-router", cost_tier="low")).models == ("a/middle-1",)
    stand.table = RoutersTable(auto={"general:translation": ("a/dear-1",)})
    text = [{"role": "user", "content": "Translate this letter into French."}]
    assert stand.expand("openrouter/auto", messages=text).models == ("a/dear-1",)


def test_a_conversation_keeps_its_model_for_ten_minutes() -> None:
    stand = Stand()
    wide = plugin("auto-router", cost_quality_tradeoff=0)
    for seconds, first in ((0.0, "a/cheap-1"), (AUTO_SECONDS - 1, "a/cheap-1"), (2 * AUTO_SECONDS, "a/dear-1")):
        stand.now = seconds
        options = wide if seconds else plugin("auto-router", allowed_models=["a/cheap-1"])
        assert stand.serve("openrouter/auto", session_id="talk", plugins=options).models[0] == first
    assert stand.expand("openrouter/auto", headers={b"x-session-id": b"other"}, plugins=wide).models[0] == "a/dear-1"


def test_a_conversation_goes_on_with_the_model_that_served() -> None:
    stand = Stand()
    wide = plugin("auto-router", cost_quality_tradeoff=0)
    request = stand.expand("openrouter/auto", prompt_cache_key="talk", plugins=wide)
    assert request.models[0] == "a/dear-1"
    assert stand.expand("openrouter/auto", prompt_cache_key="talk", plugins=wide).models[0] == "a/dear-1"
    assert request.chosen is not None
    stand.routers.served(request.chosen, "a/middle-1")
    assert stand.expand("openrouter/auto", prompt_cache_key="talk", plugins=wide).models == ("a/middle-1", "a/dear-1", "a/cheap-2")
    stand.routers.served(Chosen(""), "a/cheap-1")


def test_what_callers_spend_for_a_task_ranks() -> None:
    wide = plugin("auto-router", cost_quality_tradeoff=0)
    text = [{"role": "user", "content": "Translate this letter into French."}]
    stand = Stand(traffic=TrafficTable(least_requests=10))
    stand.traffic = Traffic(tasks={"general:translation": {"a/middle-1": Use(9, 900, 90, 0, 9)}})
    assert stand.expand("openrouter/auto", messages=text, plugins=wide).models[0] == "a/dear-1"
    stand.traffic = Traffic(tasks={"general:translation": {"a/middle-1": Use(10, 1000, 100, 0, 9)}})
    assert stand.expand("openrouter/auto", messages=text, plugins=wide).models[0] == "a/middle-1"
    assert stand.expand("openrouter/auto", plugins=wide).models[0] == "a/dear-1"
    stand.table = RoutersTable(traffic=TrafficTable(least_requests=10, rank=False))
    assert stand.expand("openrouter/auto", messages=text, plugins=wide).models[0] == "a/dear-1"


@pytest.mark.parametrize(("said", "first"), [("a/middle-1", "a/middle-1"), ("A/Cheap-1:nitro", "a/cheap-1"), ("a/gone", "a/dear-1")])
def test_a_pinned_model_goes_on(said: str, first: str) -> None:
    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y", "model": said}, {"role": "user", "content": "z"}]
    options = plugin("auto-router", pin_model=True, cost_tier="max")
    assert Stand().expand("openrouter/auto", messages=messages, plugins=options).models[0] == first


def test_free_models() -> None:
    assert Stand().expand("openrouter/free").models == ("b/gratis:free", "c/gratis:free")


def test_pareto_with_scores_and_without() -> None:
    stand = Stand(coding_scores=SCORES)
    assert stand.expand("openrouter/pareto-code").models == ("a/middle-1", "a/dear-1")
    low = plugin("pareto-router", min_coding_score=0.4)
    assert stand.expand("openrouter/pareto-code", session_id="s", plugins=low).models == ("a/cheap-1",)
    with pytest.raises(ApiError, match="this server has no coding scores") as caught:
        Stand().expand("openrouter/pareto-code")
    assert caught.value.status == 404


def test_pareto_keeps_its_model_for_five_minutes() -> None:
    stand = Stand(coding_scores=SCORES)
    dear = plugin("pareto-router", max_price=0.00009)
    assert stand.serve("openrouter/pareto-code", session_id="s", plugins=dear).models[0] == "a/dear-1"
    assert stand.serve("openrouter/pareto-code", session_id="s").models == ("a/dear-1", "a/middle-1")
    stand.now = PARETO_SECONDS + 1
    request = stand.expand("openrouter/pareto-code", session_id="s")
    assert request.models == ("a/middle-1", "a/dear-1")
    assert request.chosen is not None
    assert request.chosen.standbys == request.models


def test_a_free_model_stays_with_a_conversation_that_goes_on() -> None:
    stand = Stand()
    stand.expand("openrouter/free")
    chosen = stand.expand("openrouter/free").chosen
    assert chosen is not None
    stand.routers.served(chosen, "c/gratis:free")
    assert stand.expand("openrouter/free").models[0] == "b/gratis:free"
    later = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "More"}]
    assert stand.expand("openrouter/free", messages=later).models[0] == "c/gratis:free"
    named = stand.expand("openrouter/free", session_id="s").chosen
    assert named is not None
    stand.routers.served(named, "c/gratis:free")
    assert stand.expand("openrouter/free", session_id="s").models[0] == "c/gratis:free"


def test_bodybuilder_answers_itself() -> None:
    request = Stand().expand("openrouter/bodybuilder", messages=[{"role": "user", "content": "Count using cheap-1 and a/dear-1"}])
    assert request.chosen is not None
    assert request.chosen.answer is not None
    made = msgspec.json.decode(request.chosen.answer)
    assert [one["model"] for one in made["requests"]] == ["a/cheap-1", "a/dear-1"]
    assert made["requests"][0]["messages"] == [{"role": "user", "content": "Count"}]


def test_the_latest_model_gets_an_effort_that_it_has() -> None:
    request: Any = Stand().expand("~a/cheap-latest:nitro", "b/gratis:free", reasoning={"effort": "none"})
    assert request.models == ("~a/cheap-latest:nitro", "b/gratis:free")
    assert (request.effort, request.chosen) == ("low", Chosen(""))
    assert Stand().expand("~a/nothing-latest").models == ("~a/nothing-latest",)


def test_a_router_among_other_models() -> None:
    request = Stand().expand("a/dear-1", "openrouter/free", "b/gratis:free")
    assert request.models == ("a/dear-1", "b/gratis:free", "c/gratis:free")


@pytest.mark.parametrize(
    ("models", "fields", "problem"),
    [
        (("openrouter/auto",), {"plugins": [{"id": "auto-router", "x": 1}]}, "unknown field `x`"),
        (("openrouter/free:online",), {}, "needs the plugin web"),
        (("openrouter/auto", *(f"openrouter/free{':nitro' * number}" for number in range(1, 10))), {}, "More than 8 routers"),
    ],
)
def test_what_is_wrong(models: tuple[str, ...], fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ApiError, match=problem) as caught:
        Stand().expand(*models, **fields)
    assert caught.value.status == 400


def test_a_legacy_prompt_is_not_enough() -> None:
    with pytest.raises(ApiError, match="openrouter/auto needs messages"):
        Stand().expand("openrouter/auto", skin=TEXT)


def test_no_model_is_left() -> None:
    with pytest.raises(ApiError, match="No models match your request and model restrictions") as caught:
        Stand().expand("openrouter/auto", plugins=plugin("auto-router", allowed_models=["z/*"]))
    assert caught.value.status == 404
