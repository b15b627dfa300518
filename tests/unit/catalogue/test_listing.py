from collections.abc import Mapping

import pytest
from msgspec import structs

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.listing import models_view, select
from trunkline.catalogue.query import SORTS, ModelQuery, parse_query
from trunkline.catalogue.statistics import ModelStats
from trunkline.protocol.catalogue import DataPolicy, Endpoint, Model, Pricing, Provider

DAY = 86_400
NOW = 100 * DAY


def endpoint(model: str, provider: str, prompt: int, completion: int, *, parameters: frozenset[str] | None, zdr: bool = False) -> Endpoint:
    return Endpoint(
        id=f"{model}@{provider}",
        model=model,
        provider=provider,
        provider_name=provider,
        tag=provider,
        dialect="chat",
        base_url="http://127.0.0.1:1",
        upstream_model=model,
        pricing=Pricing(prompt=prompt, completion=completion),
        supported_parameters=parameters,
        data_policy=DataPolicy(zdr=zdr),
        region={"europe": "europe", "america": "us"}[provider],
    )


CATALOGUE = Catalogue(
    models=(
        Model(
            id="acme/small",
            name="Acme: Small",
            author="acme",
            canonical_slug="acme/small",
            created=10 * DAY,
            context_length=8_000,
            tokenizer="GPT",
            distillable=True,
        ),
        Model(
            id="acme/large",
            name="Acme: Large Thinker",
            author="acme",
            canonical_slug="acme/large",
            created=90 * DAY,
            context_length=200_000,
            tokenizer="Llama3",
            input_modalities=("text", "image"),
        ),
        Model(
            id="zeta/painter",
            name="Zeta: Painter",
            author="zeta",
            canonical_slug="zeta/painter",
            created=50 * DAY,
            output_modalities=("image",),
        ),
        Model(id="zeta/orphan", name="Zeta: Orphan", author="zeta", canonical_slug="zeta/orphan", created=90 * DAY),
    ),
    endpoints=(
        endpoint("acme/small", "europe", 1_000_000, 2_000_000, parameters=frozenset({"temperature"}), zdr=True),
        endpoint("acme/large", "america", 5_000_000, 25_000_000, parameters=frozenset({"temperature", "tools"})),
        endpoint("zeta/painter", "america", 0, 0, parameters=None),
    ),
    providers={
        "europe": Provider(slug="europe", name="Europe Inc", datacenters=("DE", "FR")),
        "america": Provider(slug="america", name="America Inc", datacenters=("US",)),
    },
    authors={},
    missing={"acme/large@america": ("AMERICA_KEY",)},
)
STATS = {
    "acme/small": ModelStats(
        tokens_total=10,
        tokens_week=9,
        throughput=50,
        latency=100,
        tool_success_rate=0.5,
        intelligence_index=40,
        categories=frozenset({"legal"}),
    ),
    "acme/large": ModelStats(tokens_total=20, tokens_week=1, throughput=20, latency=300, tool_success_rate=0.95, coding_index=60),
}


def listed(params: Mapping[str, str], stats: Mapping[str, ModelStats] = STATS) -> list[str]:
    query = parse_query({"output_modalities": ["all"], **{name: [value] for name, value in params.items()}})
    return [model.id for model in select(CATALOGUE, query, now=NOW, stats=stats).models]


SMALL, LARGE, PAINTER, ORPHAN = "acme/small", "acme/large", "zeta/painter", "zeta/orphan"


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [LARGE, ORPHAN, PAINTER, SMALL]),
        ({"output_modalities": "text"}, [LARGE, ORPHAN, SMALL]),
        ({"output_modalities": "image"}, [PAINTER]),
        ({"output_modalities": "image,text"}, [LARGE, ORPHAN, PAINTER, SMALL]),
        ({"input_modalities": "image"}, [LARGE]),
        ({"input_modalities": "text,image"}, [LARGE]),
        ({"q": "think ACME"}, [LARGE]),
        ({"q": "zeta/"}, [ORPHAN, PAINTER]),
        ({"q": "nothing"}, []),
        ({"supported_parameters": "tools"}, [LARGE, PAINTER]),
        ({"supported_parameters": "tools,temperature"}, [LARGE, PAINTER]),
        ({"context": "8001"}, [LARGE]),
        ({"context": "8000"}, [LARGE, SMALL]),
        ({"min_price": "1"}, [LARGE, SMALL]),
        ({"max_price": "1"}, [PAINTER, SMALL]),
        ({"min_price": "0"}, [LARGE, PAINTER, SMALL]),
        ({"min_output_price": "3"}, [LARGE]),
        ({"max_output_price": "2"}, [PAINTER, SMALL]),
        ({"arch": "gpt"}, [SMALL]),
        ({"model_authors": "Zeta"}, [ORPHAN, PAINTER]),
        ({"providers": "europe inc"}, [SMALL]),
        ({"providers": "america,europe"}, [LARGE, PAINTER, SMALL]),
        ({"distillable": "true"}, [SMALL]),
        ({"distillable": "false"}, [LARGE, ORPHAN, PAINTER]),
        ({"zdr": "true"}, [SMALL]),
        ({"region": "eu"}, [SMALL]),
        ({"region": "us"}, [LARGE, PAINTER]),
        ({"min_age_days": "50"}, [PAINTER, SMALL]),
        ({"max_age_days": "49"}, [LARGE, ORPHAN]),
        ({"min_intelligence_index": "1"}, [SMALL]),
        ({"max_intelligence_index": "39"}, []),
        ({"min_coding_index": "60"}, [LARGE]),
        ({"max_agentic_index": "100"}, []),
        ({"min_tool_success_rate": "0.9"}, [LARGE]),
        ({"max_tool_success_rate": "0.9"}, [SMALL]),
        ({"category": "legal"}, [SMALL]),
        ({"category": "finance"}, []),
        ({"available": "true"}, [PAINTER, SMALL]),
        ({"available": "false"}, [LARGE, ORPHAN]),
    ],
)
def test_filters(params: dict[str, str], expected: list[str]) -> None:
    assert listed(params) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("newest", [LARGE, ORPHAN, PAINTER, SMALL]),
        ("pricing-low-to-high", [PAINTER, SMALL, LARGE, ORPHAN]),
        ("pricing-high-to-low", [LARGE, SMALL, PAINTER, ORPHAN]),
        ("context-high-to-low", [LARGE, SMALL, ORPHAN, PAINTER]),
        ("most-popular", [LARGE, SMALL, ORPHAN, PAINTER]),
        ("top-weekly", [SMALL, LARGE, ORPHAN, PAINTER]),
        ("throughput-high-to-low", [SMALL, LARGE, ORPHAN, PAINTER]),
        ("latency-low-to-high", [SMALL, LARGE, ORPHAN, PAINTER]),
        ("intelligence-high-to-low", [SMALL, LARGE, ORPHAN, PAINTER]),
        ("coding-high-to-low", [LARGE, ORPHAN, PAINTER, SMALL]),
        ("agentic-high-to-low", [LARGE, ORPHAN, PAINTER, SMALL]),
        ("design-arena-elo-high-to-low", [LARGE, ORPHAN, PAINTER, SMALL]),
    ],
)
def test_sorts_put_what_is_not_known_last(sort: str, expected: list[str]) -> None:
    assert listed({"sort": sort}) == expected


@pytest.mark.parametrize("sort", SORTS)
def test_a_sort_loses_no_model(sort: str) -> None:
    assert sorted(listed({"sort": sort}, {})) == sorted(CATALOGUE.models)


@pytest.mark.parametrize(
    ("offset", "limit", "expected", "following"),
    [
        (None, None, [LARGE, ORPHAN, PAINTER, SMALL], None),
        (0, None, [LARGE, ORPHAN, PAINTER, SMALL], None),
        (None, 3, [LARGE, ORPHAN, PAINTER], 3),
        (3, 3, [SMALL], None),
        (2, 2, [PAINTER, SMALL], None),
        (9, 2, [], None),
    ],
)
def test_pages(offset: int | None, limit: int | None, expected: list[str], following: int | None) -> None:
    page = select(CATALOGUE, ModelQuery(offset=offset, limit=limit, output_modalities=None), now=NOW, stats={})
    assert [model.id for model in page.models] == expected
    assert (page.total, page.next_offset) == (4, following)


def test_the_next_link_repeats_the_query() -> None:
    params = {"limit": ["1"], "offset": ["0"], "q": ["a&b é"], "output_modalities": ["all"]}
    page = select(CATALOGUE, ModelQuery(offset=0, limit=1), now=NOW, stats={})
    view = models_view(CATALOGUE, page, "/api/v1/models", params)
    assert view["links"] == {"next": "/api/v1/models?limit=1&offset=1&q=a%26b+%C3%A9&output_modalities=all"}
    assert view["total_count"] == 3
    last = select(CATALOGUE, ModelQuery(), now=NOW, stats={})
    assert models_view(CATALOGUE, last, "/api/v1/models", {})["links"] == {"next": None}


def test_stand_ins_are_listed_on_request_and_routers_come_last() -> None:
    plain = select(CATALOGUE, ModelQuery(), now=NOW, stats={})
    more = select(CATALOGUE, ModelQuery(), now=NOW, stats={}, stand_ins=True)
    ids = [model.id for model in more.models]
    assert ids[: len(plain.models)] == [model.id for model in plain.models]
    assert set(ids[len(plain.models) :]) == set(CATALOGUE.routers)


def test_a_host_of_a_region_filters_as_the_parameter_does() -> None:
    def named(query: ModelQuery) -> list[str]:
        return [model.id for model in select(CATALOGUE, query, now=NOW, stats=STATS).models]

    europe = ModelQuery(host_region="europe", output_modalities=None)
    assert named(europe) == ["acme/small"]
    assert named(structs.replace(europe, region="eu")) == ["acme/small"]
    assert named(structs.replace(europe, region="us")) == []
