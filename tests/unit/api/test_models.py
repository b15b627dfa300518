"""The catalogue over HTTP: lists, one model, endpoints, and what only callers with a key are told."""

from typing import Any

import pytest
from msgspec import structs
from openrouter.components import ModelResponse, ModelsCountResponse, ModelsListResponse
from openrouter.operations import ListEndpointsResponse, ListEndpointsZdrResponse

from trunkline.catalogue.statistics import EndpointStats, Errors, ModelStats, Percentiles

MODELS = "/api/v1/models"
ENDPOINTS = "/api/v1/models/acme/echo-1/endpoints"
MEASURED = EndpointStats(
    uptime_30m=99.5, latency=Percentiles(250, 350, 480, 850), throughput=Percentiles(10, 20, 30, 40), tool_calls=Errors(9, 1)
)


def ids(api: Any, path: str, **arguments: object) -> list[str]:
    answer = api.call("GET", path, **arguments)
    assert answer.status_code == 200, answer.text
    return [model["id"] for model in answer.json()["data"]]


def test_the_list_is_what_the_sdks_demand(shared: Any) -> None:
    answer = shared.call("GET", MODELS)
    parsed = ModelsListResponse.model_validate(answer.json())
    assert parsed.total_count == len(parsed.data)
    assert answer.json()["links"] == {"next": None}
    assert {"acme/echo-1", "acme/echo-1:free"} <= {model.id for model in parsed.data}


def test_only_text_models_are_listed_unless_asked(shared: Any) -> None:
    assert "zeta/vector-1" not in ids(shared, MODELS)
    assert "zeta/vector-1" in ids(shared, MODELS + "?output_modalities=all")
    assert ids(shared, MODELS + "?output_modalities=embeddings&q=zeta") == ["zeta/vector-1"]


def test_embedding_models_have_a_list_of_their_own(shared: Any) -> None:
    answer = shared.call("GET", "/api/v1/embeddings/models?q=zeta")
    ModelsListResponse.model_validate(answer.json())
    assert [model["id"] for model in answer.json()["data"]] == ["zeta/vector-1"]
    assert "acme/echo-1" not in ids(shared, "/api/v1/embeddings/models")


def test_pages_link_to_the_next(shared: Any) -> None:
    first = shared.call("GET", MODELS + "?q=acme&limit=1").json()
    assert (len(first["data"]), first["total_count"]) == (1, 2)
    second = shared.call("GET", first["links"]["next"]).json()
    assert second["links"]["next"] is None
    assert {first["data"][0]["id"], second["data"][0]["id"]} == {"acme/echo-1", "acme/echo-1:free"}


def test_popular_models_come_first_by_the_tokens_of_the_week(api: Any) -> None:
    path = MODELS + "?q=acme&sort=top-weekly"
    for favourite in ("acme/echo-1:free", "acme/echo-1"):
        api.weekly_tokens = {favourite: 5_000}
        assert ids(api, path)[0] == favourite


@pytest.mark.parametrize(
    "query", ["limit=0", "offset=-1", "sort=best", "output_modalities=smell", "min_price=NaN", "context=x", "category=none"]
)
@pytest.mark.parametrize("path", [MODELS, MODELS + "/count", "/api/v1/embeddings/models"])
def test_query_fields_that_cannot_be_used_are_named(shared: Any, path: str, query: str) -> None:
    answer = shared.call("GET", f"{path}?{query}")
    assert answer.status_code == 400
    assert query.split("=")[0] in answer.json()["error"]["message"]


def test_the_count_counts_what_the_list_finds(shared: Any) -> None:
    answer = shared.call("GET", MODELS + "/count?output_modalities=embeddings")
    ModelsCountResponse.model_validate(answer.json())
    assert answer.json() == {"data": {"count": len(ids(shared, "/api/v1/embeddings/models"))}}


def test_a_user_sees_what_can_be_called(shared: Any) -> None:
    mine = ids(shared, MODELS + "/user", key=shared.inference_key)
    assert "acme/echo-1" in mine
    assert all(shared.catalogue.available(id) for id in mine)
    assert "zeta/vector-1" not in ids(shared, MODELS + "/user?output_modalities=all", key=shared.inference_key)


def test_an_unchanged_list_is_not_sent_again(shared: Any) -> None:
    first = shared.call("GET", MODELS)
    again = shared.call("GET", MODELS, headers={"if-none-match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["access-control-allow-origin"] == "*"
    assert shared.call("GET", MODELS, headers={"if-none-match": '"other"'}).content == first.content


def test_a_reload_changes_the_list_and_its_tag(api: Any) -> None:
    first = api.call("GET", MODELS)
    api.reload('[[models]]\nid = "acme/new"\nname = "New"\ncontext_length = 10\n')
    again = api.call("GET", MODELS, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 200
    assert "acme/new" in again.text and "acme/new" not in first.text


def test_the_feed_is_rss(shared: Any) -> None:
    answer = shared.call("GET", MODELS + "?use_rss=true&use_rss_chat_links=true")
    assert answer.headers["content-type"].startswith("application/rss+xml")
    assert "<rss" in answer.text and "http://127.0.0.1:8787/chat?models=acme%2Fecho-1" in answer.text


@pytest.mark.parametrize("slug", ["acme/echo-1", "ACME/Echo-1", "acme/echo-1:nitro"])
def test_one_model_by_any_of_its_names(shared: Any, slug: str) -> None:
    answer = shared.call("GET", f"/api/v1/model/{slug}")
    ModelResponse.model_validate(answer.json())
    assert answer.json()["data"]["id"] == "acme/echo-1"
    assert answer.json()["data"]["pricing"]["prompt"] == "0.000001"


def test_a_variant_is_a_model(shared: Any) -> None:
    assert shared.call("GET", "/api/v1/model/acme/echo-1:free").json()["data"]["pricing"]["prompt"] == "0"


@pytest.mark.parametrize("path", ["/api/v1/model/acme/none", "/api/v1/models/acme/none/endpoints", "/api/v1/model/x/" + "y" * 5000])
def test_an_unknown_model_is_404(shared: Any, path: str) -> None:
    answer = shared.call("GET", path)
    assert answer.status_code == answer.json()["error"]["code"] == 404
    assert len(answer.json()["error"]["message"]) < 300


def test_a_model_lists_who_serves_it(shared: Any) -> None:
    answer = shared.call("GET", ENDPOINTS)
    ListEndpointsResponse.model_validate(answer.json())
    assert [endpoint["provider_name"] for endpoint in answer.json()["data"]["endpoints"]] == ["Acme", "Zeta"]
    assert "literal-secret" not in answer.text and "127.0.0.1" not in answer.text


def test_models_are_sorted_by_what_was_measured_of_them(api: Any) -> None:
    some = ids(api, MODELS)[:3]
    api.model_stats |= {id: ModelStats(throughput=10.0 * number, latency=10.0 * number) for number, id in enumerate(some, 1)}
    assert ids(api, MODELS + "?sort=throughput-high-to-low")[:3] == some[::-1]
    assert ids(api, MODELS + "?sort=latency-low-to-high")[:3] == some
    api.weekly_tokens[some[2]] = 5
    assert ids(api, MODELS + "?sort=latency-low-to-high")[:3] == some
    assert ids(api, MODELS + "?sort=top-weekly")[0] == some[2]


def test_speed_is_told_to_callers_with_a_key_only(api: Any) -> None:
    api.stats.update({endpoint.id: structs.replace(MEASURED) for endpoint in api.catalogue.endpoints_of("acme/echo-1")})
    for headers in ({}, {"authorization": "Bearer nonsense"}):
        anonymous = api.call("GET", ENDPOINTS, headers=headers).json()["data"]["endpoints"][0]
        assert (anonymous["latency_last_30m"], anonymous["throughput_last_30m"], anonymous["uptime_last_30m"]) == (None, None, 99.5)
        assert anonymous["tool_calls_last_30m"] is None
    for key in (api.inference_key, api.management_key):
        known = api.call("GET", ENDPOINTS, key=key)
        ListEndpointsResponse.model_validate(known.json())
        assert known.json()["data"]["endpoints"][0]["latency_last_30m"] == {"p50": 250.0, "p75": 350.0, "p90": 480.0, "p99": 850.0}
        assert known.json()["data"]["endpoints"][0]["tool_calls_last_30m"] == {"requests": 9, "errors": 1}


def test_endpoints_without_retention_are_listed_flat(shared: Any) -> None:
    answer = shared.call("GET", "/api/v1/endpoints/zdr")
    ListEndpointsZdrResponse.model_validate(answer.json())
    rows = [(row["model_id"], row["provider_name"]) for row in answer.json()["data"]]
    assert ("acme/echo-1", "Acme") in rows and ("acme/echo-1", "Zeta") not in rows


IN_EUROPE = """
[[endpoints]]
model = "acme/echo-1"
provider = "acme"
tag = "acme/eu"
upstream_model = "echo-1"
pricing = { prompt = "0.000003", completion = "0.000004" }
region = "eu"
"""


@pytest.mark.parametrize("path", [MODELS, "/api/v1/models/user"])
def test_under_the_name_of_a_region_there_is_only_what_is_processed_in_it(api: Any, path: str) -> None:
    api.reload(IN_EUROPE)
    key = api.inference_key
    assert "acme/echo-1" not in ids(api, path, key=key, host="us.localhost:8787")
    assert ids(api, path, key=key, host="eu.localhost:8787") == ["acme/echo-1"]
    assert ids(api, path, key=key, headers={"X-Forwarded-Host": "eu.gateway.example"}) == ["acme/echo-1"]
    assert ids(api, MODELS + "?region=eu") == ["acme/echo-1"]
    assert "acme/echo-1" not in ids(api, MODELS + "?region=us", host="eu.localhost")
    count = api.call("GET", "/api/v1/models/count", host="eu.localhost").json()
    assert count == {"data": {"count": 1}}


def test_endpoints_elsewhere_are_not_listed_under_the_name_of_a_region(api: Any) -> None:
    api.reload(IN_EUROPE)
    tags = [one["tag"] for one in api.call("GET", ENDPOINTS, host="eu.localhost").json()["data"]["endpoints"]]
    assert tags == ["acme/eu"]
    assert len(api.call("GET", ENDPOINTS).json()["data"]["endpoints"]) == 3
    assert api.call("GET", "/api/v1/endpoints/zdr").json()["data"]
    assert api.call("GET", "/api/v1/endpoints/zdr", host="eu.localhost").json()["data"] == []


def test_the_servers_own_name_is_no_region_and_a_region_opens_no_lock(tmp_path_factory: pytest.TempPathFactory, shared: Any) -> None:
    api = type(shared)(tmp_path_factory.mktemp("eu"), environ={"TRUNKLINE_PUBLIC_URL": "https://eu.example.com"})
    try:
        assert "acme/echo-1" in ids(api, MODELS, host="eu.example.com")
        assert "acme/echo-1" not in ids(api, MODELS, host="us.eu.example.com")
        for host, status in (("eu.example.com:443", 200), ("us.eu.example.com", 403), ("eu.localhost", 403)):
            assert api.call("GET", "/api/v1/keys", key=api.management_key, host=host).status_code == status
    finally:
        api.close()
