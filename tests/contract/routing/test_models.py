"""Fallback models and what a model's name may be, over the wire (contract 3.5, 3.6, 9.1 "Fallbacks" and "Messages")."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from clients import Answer, call, get, until
from crossroads import Stop, go, line, map_of
from gateway import Gateway
from heard import ASKED as SMALL
from heard import PATHS, heard

from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Fault, Match, Rule, Script, Tokens
from trunkline.mock.thread import MockServer

HOUSES = ("ash", "birch", "cedar", "oak", "elm", "fir", "yew")
PEACEFUL = ("pine", "lime")
"""Providers that never refuse a credential, which would rest with every model."""
FAULTS = {
    "down": Fault(kind="status", status=500),
    "busy": Fault(kind="status", status=503),
    "limited": Fault(kind="status", status=429),
    "too-long": Fault(kind="status", status=400, code="context_length_exceeded", message="maximum context length is 8 tokens"),
    "refused": Fault(kind="status", status=400, message="I do not like it"),
    "moderated": Fault(kind="status", status=400, code="content_policy_violation", message="flagged"),
    "gone": Fault(kind="status", status=404),
    "unpaid": Fault(kind="status", status=402),
    "reset": Fault(kind="reset"),
    "empty": Fault(kind="empty"),
}
MANY = tuple(Stop(tag=house, prompt=at + 1) for at, house in enumerate(HOUSES))


def first(name: str) -> str:
    return f"cross/{name}-first"


MODELS = {
    **{first(name): (Stop(tag="ash"), Stop(tag="birch", prompt=2)) for name in FAULTS},
    **{first(f"many-{name}"): MANY for name in FAULTS},
    **{f"cross/all-{name}": (Stop(tag="ash"),) for name in FAULTS},
    "cross/second": (Stop(tag="cedar", prompt=5, completion=7),),
    "cross/third": (Stop(tag="oak"),),
    "cross/family-3.5": (Stop(tag="pine"), Stop(tag="lime", prompt=2)),
    "cross/plain": (Stop(tag="pine"), Stop(tag="pine/priority", prompt=9), Stop(tag="lime/flex", prompt=0.5), Stop(tag="lime", prompt=2)),
    "cross/plain:free": (Stop(tag="elm", prompt=0, completion=0),),
    "cross/thinker:thinking": (Stop(tag="elm"),),
    "cross/wide:extended": (Stop(tag="elm"),),
}
KEYS = {"cross/family-3.5": 'aliases = ["cross/family-old"]\ncanonical_slug = "cross/family-3.5-20260101"\n'}
RULES = (
    *(Rule(match=Match(model=f"*|{first(name).partition('/')[2]}"), fault=fault) for name, fault in FAULTS.items()),
    *(Rule(match=Match(model=f"*|many-{name}-first"), fault=fault) for name, fault in FAULTS.items()),
    *(Rule(match=Match(model=f"*|all-{name}"), fault=fault) for name, fault in FAULTS.items()),
    Rule(match=Match(model="*|second"), answer=Said(text="second", tokens=Tokens(prompt=10, completion=3))),
)


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    with MockServer(scene=Script(rules=RULES)) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(upstream: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    lines = [line(slug, *stops, keys=KEYS.get(slug, "")) for slug, stops in MODELS.items()]
    with Gateway(tmp_path_factory.mktemp("models"), map_of(upstream.url, lines, HOUSES + PEACEFUL)) as running:
        yield running
        assert not [text for text in running.log if "Traceback" in text], "".join(running.log)


def ask(gateway: Gateway, skin: str, **fields: Any) -> Answer:
    return call(gateway, "POST", PATHS[skin], json.dumps({**SMALL[skin], **fields}).encode())


def recorded(gateway: Gateway, id: str) -> Any:
    """The record of a generation, once it is written."""
    until(lambda: get(gateway, f"/generation?id={id}").status == 200)
    return get(gateway, f"/generation?id={id}").json["data"]


class TestFallbackModels:
    """`models: [a, b]`: whatever a says, b answers, is named and is billed."""

    COST = (10 * 5 + 3 * 7) / 1e6

    @pytest.mark.parametrize("streamed", [False, True])
    @pytest.mark.parametrize("name", FAULTS)
    def test_any_error_goes_on_to_the_next_model(self, gateway: Gateway, name: str, streamed: bool) -> None:
        answer = ask(gateway, "chat", models=[first(name), "cross/second"], stream=streamed)
        assert answer.status == 200, answer.body
        assert heard("chat", answer.body, stream=streamed).text == "second"
        models = {event["model"] for event in answer.events} if streamed else {answer.json["model"]}
        assert models == {"cross/second"}
        assert answer.usage["cost"] == pytest.approx(self.COST, abs=1e-12)
        record = recorded(gateway, answer.id)
        assert (record["model"], record["provider_name"]) == ("cross/second", "Cedar")
        assert record["total_cost"] == pytest.approx(self.COST, abs=1e-12)

    @pytest.mark.parametrize("name", FAULTS)
    def test_however_many_endpoints_the_first_model_has(self, gateway: Gateway, name: str) -> None:
        answer = ask(gateway, "chat", models=[first(f"many-{name}"), "cross/second", "cross/third"])
        assert answer.status == 200, answer.body
        assert answer.json["model"] == "cross/second"

    @pytest.mark.parametrize("skin", PATHS)
    def test_in_every_dialect(self, gateway: Gateway, skin: str) -> None:
        answer = ask(gateway, skin, model=first("down"), models=["cross/second"])
        assert (answer.status, answer.json["model"]) == (200, "cross/second"), answer.body
        assert heard(skin, answer.body, stream=False).text == "second"

    def test_the_last_models_error_is_told(self, gateway: Gateway) -> None:
        answer = ask(gateway, "chat", models=["cross/all-down", "cross/all-refused"])
        assert (answer.status, answer.error["message"]) == (400, "I do not like it")
        assert answer.error["metadata"]["previous_errors"][0]["status"] == 500

    def test_a_model_that_cannot_be_called_is_passed_over(self, gateway: Gateway) -> None:
        answer = ask(gateway, "chat", models=["cross/plain", "cross/second"], provider={"only": ["cedar"]})
        assert answer.json["model"] == "cross/second"

    def test_the_old_word_route(self, gateway: Gateway) -> None:
        answer = ask(gateway, "chat", models=[first("busy"), "cross/second"], route="fallback")
        assert answer.json["model"] == "cross/second"

    def test_metadata_say_that_a_fallback_answered(self, gateway: Gateway) -> None:
        way = go(gateway, first("limited"), models=["cross/second"])
        told = way.answer.json["openrouter_metadata"]
        assert (told["strategy"], told["requested"]) == ("fallback", first("limited"))
        assert [one["status"] for one in told["attempts"]][-1] == 200


class TestFallbacksOfMessages:
    def test_they_are_tried_in_order(self, gateway: Gateway) -> None:
        answer = ask(gateway, "messages", model=first("down"), fallbacks=[{"model": first("busy")}, {"model": "cross/second"}])
        assert (answer.status, answer.json["model"]) == (200, "cross/second")
        assert heard("messages", answer.body, stream=False).text == "second"

    @pytest.mark.parametrize(
        "fields",
        [
            {"fallbacks": [{"model": "cross/second"}] * 4},
            {"fallbacks": [{"model": "cross/second", "max_tokens": 9}]},
            {"fallbacks": [{"model": "cross/second"}], "models": ["cross/third"]},
        ],
        ids=["four", "more-keys", "with-models"],
    )
    def test_what_is_wrong_with_them_is_a_400(self, gateway: Gateway, upstream: MockServer, fields: dict[str, Any]) -> None:
        before = len(upstream.seen())
        answer = ask(gateway, "messages", model="cross/second", **fields)
        assert (answer.status, answer.json["type"]) == (400, "error")
        assert answer.json["error"]["type"] == "invalid_request_error"
        assert "fallbacks" in answer.json["error"]["message"]
        assert len(upstream.seen()) == before


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "cross/family-3.5",
            "Cross/Family-3.5",
            "cross/family-3-5",
            "cross/family-old",
            "cross/family-3.5-20260101",
            "~cross/family-latest",
        ],
    )
    def test_names_of_one_model(self, gateway: Gateway, name: str) -> None:
        answer = ask(gateway, "chat", model=name)
        assert (answer.status, answer.json["model"]) == (200, "cross/family-3.5")

    @pytest.mark.parametrize(
        ("name", "model", "first"),
        [
            ("cross/plain:floor", "cross/plain", "lime/flex"),
            ("cross/plain:floor:nitro", "cross/plain", "lime/flex"),
            ("cross/plain:free", "cross/plain:free", "elm"),
            ("cross/plain:free:nitro", "cross/plain:free", "elm"),
            ("cross/plain:nitro:free", "cross/plain:free", "elm"),
            ("cross/plain:floor:free:exacto", "cross/plain:free", "elm"),
            ("cross/family-old:floor", "cross/family-3.5", "pine"),
            ("cross/family-3-5:FLOOR:floor", "cross/family-3.5", "pine"),
            ("cross/thinker:thinking", "cross/thinker:thinking", "elm"),
            ("cross/wide:extended:floor", "cross/wide:extended", "elm"),
        ],
    )
    def test_variants_stack(self, gateway: Gateway, name: str, model: str, first: str) -> None:
        way = go(gateway, name)
        assert (way.answer.json["model"], way.served) == (model, first)

    def test_nitro_admits_priority_and_the_order_cancels_that(self, gateway: Gateway) -> None:
        assert set(go(gateway, "cross/plain:nitro").order) == {"pine", "pine/priority", "lime"}
        assert set(go(gateway, "cross/plain:nitro", {"order": ["lime"]}).order) == {"pine", "lime"}
        assert set(go(gateway, "cross/plain:floor", service_tier="default").order) == {"pine", "lime"}
        assert set(go(gateway, "cross/plain").order) == {"pine", "lime"}

    @pytest.mark.parametrize("skin", PATHS)
    @pytest.mark.parametrize(
        ("name", "status", "code"),
        [
            ("cross/second:free", 404, "free_variant_ended"),
            ("cross/second:thinking", 400, "model_not_found"),
            ("cross/second:sparkling", 400, "model_not_found"),
            ("cross/plain:free:online", 400, None),
            ("cross/nobody", 400, "model_not_found"),
            ("~cross/nobody-latest", 400, "model_not_found"),
        ],
    )
    def test_what_is_no_model_is_told(self, gateway: Gateway, skin: str, name: str, status: int, code: str | None) -> None:
        answer = ask(gateway, skin, model=name)
        assert answer.status == status, answer.body
        error = answer.json["error"]
        assert name in error["message"]
        assert error.get("availability", {}).get("code") == code


def test_the_free_variant_costs_nothing(gateway: Gateway) -> None:
    answer = ask(gateway, "chat", model="cross/plain:free")
    assert answer.usage["cost"] == 0
