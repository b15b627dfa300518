from typing import Any

import msgspec
import pytest
from endpoints import endpoint
from msgspec import structs

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.statistics import ModelStats
from trunkline.inference.contenders import Contenders
from trunkline.inference.skins import CHAT
from trunkline.protocol.catalogue import Endpoint, Model, Pricing, Reasoning
from trunkline.protocol.traffic import Traffic, Use

TOOL = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}


def model(id: str, **changes: object) -> Model:
    return structs.replace(Model(id=id, name=id, author="a", canonical_slug=id, created=7), **changes)


def served(id: str, tag: str = "x", **changes: object) -> Endpoint:
    return structs.replace(endpoint(tag, **changes), id=f"{id}@{tag}", model=id)


MODELS = (
    model("a/plain"),
    model("a/sees", input_modalities=("text", "image"), reasoning=Reasoning(mandatory=True)),
    model("a/retired", retired=True),
    model("a/draws", output_modalities=("image",)),
    model("a/nowhere"),
    model("a/free:free"),
)
ENDPOINTS = (
    served("a/plain", "x", price=30, supported_parameters=frozenset({"temperature"})),
    served("a/plain", "y", price=20, supported_parameters=frozenset({"tools"}), context_length=1000),
    served("a/sees", "x", price=5, supported_parameters=frozenset(), context_length=1_000_000),
    served("a/retired"),
    served("a/draws"),
    structs.replace(served("a/free:free"), pricing=Pricing(), supported_parameters=frozenset()),
)
CATALOGUE = Catalogue(models=MODELS, endpoints=ENDPOINTS, providers={}, authors={}, missing={})
TRAFFIC = Traffic({"a/plain": Use(3, prompt_tokens=100, cached_tokens=25, spent=9)})
FIND = Contenders(lambda: TRAFFIC, lambda: {"a/plain": ModelStats(throughput=55.0)})


def found(content: Any = "Hello", **fields: Any) -> list[str]:
    body = {"model": "openrouter/auto", "messages": [{"role": "user", "content": content}], **fields}
    return [one.id for one in FIND.find(CATALOGUE, CHAT.parse(msgspec.json.encode(body)))]


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ({}, ["a/plain", "a/sees", "a/free:free"]),
        ({"tools": [TOOL]}, ["a/plain"]),
        ({"tools": [TOOL], "content": "x" * 30_000}, []),
        ({"content": [{"type": "text", "text": "What is it?"}, PICTURE]}, ["a/sees"]),
        ({"provider": {"only": ["y"]}}, ["a/plain"]),
        ({"provider": {"zdr": True}}, []),
        ({"temperature": 1}, ["a/plain", "a/sees", "a/free:free"]),
        ({"reasoning": {"enabled": False}}, ["a/plain", "a/free:free"]),
    ],
)
def test_models_that_can_do_what_is_needed(fields: dict[str, Any], ids: list[str]) -> None:
    assert found(**fields) == ids


def test_what_is_known_of_a_model() -> None:
    body = msgspec.json.encode({"model": "openrouter/auto", "messages": [{"role": "user", "content": "x"}]})
    plain, _, free = FIND.find(CATALOGUE, CHAT.parse(body))
    assert (plain.prompt_price, plain.spent_week, plain.throughput, plain.created, plain.free) == (20, 9, 55.0, 7, False)
    assert (free.spent_week, free.throughput, free.free) == (0, None, True)


def test_another_catalogue_has_other_models() -> None:
    body = msgspec.json.encode({"model": "openrouter/auto", "messages": [{"role": "user", "content": "x"}]})
    other = Catalogue(models=MODELS[:1], endpoints=ENDPOINTS[:1], providers={}, authors={}, missing={})
    assert [one.id for one in FIND.find(other, CHAT.parse(body))] == ["a/plain"]
    assert len(FIND.find(CATALOGUE, CHAT.parse(body))) == 3


@pytest.mark.parametrize(
    ("use", "read_price", "price"),
    [(Use(), 2, 20), (Use(1, 100), 2, 20), (Use(1, 100, 0, 50), 2, 11), (Use(1, 100, 0, 500), 2, 2), (Use(1, 100, 0, 50), None, 20)],
)
def test_input_costs_less_the_more_of_it_is_read_from_the_cache(use: Use, read_price: int | None, price: float) -> None:
    served_at = structs.replace(served("a/plain"), pricing=Pricing(prompt=20, input_cache_read=read_price))
    catalogue = Catalogue(models=MODELS[:1], endpoints=[served_at], providers={}, authors={}, missing={})
    contenders = Contenders(lambda: Traffic({"a/plain": use}), dict)
    body = msgspec.json.encode({"model": "openrouter/auto", "messages": [{"role": "user", "content": "x"}]})
    assert contenders.find(catalogue, CHAT.parse(body))[0].input_price == price
