"""The first half of a request's life: who asks, where it could go, what it can cost."""

import asyncio

import msgspec
import pytest
from pipelines import USER, Bench, served

from trunkline.errors import ApiError
from trunkline.inference.admission import Admission
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.skins import CHAT
from trunkline.protocol.catalogue import Pricing


def call(**fields: object) -> Call:
    body = {"model": "a/m", "messages": [{"role": "user", "content": "hi"}], **fields}
    return Call({b"authorization": b"Bearer good"}, msgspec.json.encode(body), Mint(), CHAT)


def admitted(bench: Bench, one: Call) -> Exchange:
    return asyncio.run(Admission(bench.services).admit(one, USER, CHAT.parse(one.body)))


def test_what_is_reserved_is_the_dearest_endpoint_of_the_plan() -> None:
    cheap, dear = served("cheap", pricing=Pricing(prompt=1, completion=1)), served("dear", pricing=Pricing(prompt=5, completion=9))
    bench = Bench([cheap, dear])
    asked: list[int] = []
    bench.ledgers.reserve_now = lambda _principal, cost: asked.append(cost) or _Held()  # type: ignore[assignment,method-assign,func-returns-value]
    exchange = admitted(bench, call(max_tokens=10))
    assert {one.provider for one in exchange.plan.attempts} == {"cheap", "dear"}
    admission = Admission(bench.services)
    costs = admission.expected_costs(exchange.request, (cheap, dear), exchange.prompt_tokens)
    assert asked == [max(costs)] and costs[0] < costs[1]


class _Held:
    """Stands for a hold."""


def test_a_request_that_no_endpoint_may_serve_is_told_why_with_its_id() -> None:
    one = call(provider={"only": ["other"]})
    with pytest.raises(ApiError) as caught:
        admitted(Bench([served("one")]), one)
    assert caught.value.status == 404
    assert caught.value.generation_id == one.id_text


def test_who_is_not_known_or_is_no_inference_key_gets_nowhere() -> None:
    admission = Admission(Bench([served("one")]).services)
    for authorization, status in ((b"Bearer other", 401), (b"Bearer manager", 403)):
        with pytest.raises(ApiError) as caught:
            asyncio.run(admission.authenticated(Call({b"authorization": authorization}, b"", Mint(), CHAT)))
        assert caught.value.status == status
