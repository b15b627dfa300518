from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.statistics import EndpointStats, Errors, Percentiles
from trunkline.catalogue.views import (
    architecture_view,
    endpoint_view,
    endpoints_view,
    model_view,
    parameters_of,
    pricing_view,
    provider_view,
)
from trunkline.catalogue.vocabulary import PARAMETER_ORDER
from trunkline.protocol.catalogue import Endpoint, Model, PriceOverride, Pricing, Provider, Reasoning
from trunkline.protocol.quirks import Quirks

MODEL = Model(
    id="acme/echo-1",
    name="Acme: Echo 1",
    author="acme",
    canonical_slug="acme/echo-1-20260101",
    created=1_765_389_783,
    description="Echoes.",
    context_length=128_000,
    expiration_date="2026-08-10",
    input_modalities=("file", "image", "text"),
    tokenizer="GPT",
    is_moderated=True,
    reasoning=Reasoning(default_enabled=True, supported_efforts=("high", "low"), default_effort="low", supports_max_tokens=True),
    default_parameters={"temperature": 0.5, "top_k": 64.0},
)


def endpoint(provider: str, *, prompt: int, parameters: frozenset[str] | None, quirks: Quirks = Quirks()) -> Endpoint:  # noqa: B008
    return Endpoint(
        id=f"acme/echo-1@{provider}",
        model="acme/echo-1",
        provider=provider,
        provider_name=provider.title(),
        tag=f"{provider}/fp8",
        dialect="chat",
        base_url="http://127.0.0.1:1",
        upstream_model="echo",
        pricing=Pricing(prompt=prompt, completion=14_000_000, input_cache_read=175_000),
        max_completion_tokens=4096,
        quantization="fp8",
        supported_parameters=parameters,
        implicit_caching=True,
        quirks=quirks,
    )


CHEAP = endpoint("cheap", prompt=1_750_000, parameters=frozenset({"tools", "temperature"}))
DEAR = endpoint("dear", prompt=9_000_000, parameters=frozenset({"seed", "tool_choice"}))


def catalogue(*endpoints: Endpoint, missing: dict[str, tuple[str, ...]] | None = None) -> Catalogue:
    return Catalogue(models=(MODEL,), endpoints=endpoints, providers={}, authors={}, missing=missing or {})


def test_a_model() -> None:
    assert model_view(catalogue(DEAR, CHEAP), MODEL) == {
        "id": "acme/echo-1",
        "canonical_slug": "acme/echo-1-20260101",
        "hugging_face_id": None,
        "name": "Acme: Echo 1",
        "created": 1_765_389_783,
        "description": "Echoes.",
        "context_length": 128_000,
        "architecture": {
            "modality": "text+image+file->text",
            "input_modalities": ["text", "image", "file"],
            "output_modalities": ["text"],
            "tokenizer": "GPT",
            "instruct_type": None,
        },
        "pricing": {"prompt": "0.00000175", "completion": "0.000014", "input_cache_read": "0.000000175"},
        "top_provider": {"context_length": 128_000, "max_completion_tokens": 4096, "is_moderated": True},
        "per_request_limits": None,
        "supported_parameters": ["temperature", "seed", "tools", "tool_choice"],
        "default_parameters": {
            "temperature": 0.5,
            "top_p": None,
            "top_k": 64,
            "frequency_penalty": None,
            "presence_penalty": None,
            "repetition_penalty": None,
        },
        "supported_voices": None,
        "knowledge_cutoff": None,
        "expiration_date": "2026-08-10",
        "links": {"details": "/api/v1/models/acme/echo-1/endpoints"},
        "available": True,
        "missing_env": [],
        "reasoning": {
            "mandatory": False,
            "default_enabled": True,
            "supported_efforts": ["high", "low"],
            "default_effort": "low",
            "supports_max_tokens": True,
        },
    }


def test_a_model_that_cannot_be_called_says_what_is_missing() -> None:
    view = model_view(catalogue(CHEAP, missing={CHEAP.id: ("CHEAP_KEY",)}), MODEL)
    assert (view["available"], view["missing_env"]) == (False, ["CHEAP_KEY"])


def test_a_model_without_endpoints_has_no_price() -> None:
    view = model_view(catalogue(), MODEL)
    assert view["pricing"] == {"prompt": "-1", "completion": "-1"}
    assert view["supported_parameters"] == []
    assert view["available"] is False


def test_the_top_provider_is_the_one_whose_price_is_shown() -> None:
    view = model_view(catalogue(DEAR, CHEAP, missing={CHEAP.id: ("CHEAP_KEY",)}), MODEL)
    assert view["pricing"] == {"prompt": "0.000009", "completion": "0.000014", "input_cache_read": "0.000000175"}


def test_an_endpoint_without_figures() -> None:
    view = endpoint_view(CHEAP, MODEL)
    assert view == {
        "name": "Cheap | acme/echo-1-20260101",
        "model_id": "acme/echo-1",
        "model_name": "Acme: Echo 1",
        "context_length": 128_000,
        "pricing": {"prompt": "0.00000175", "completion": "0.000014", "input_cache_read": "0.000000175", "discount": 0},
        "provider_name": "Cheap",
        "tag": "cheap/fp8",
        "quantization": "fp8",
        "max_completion_tokens": 4096,
        "max_prompt_tokens": None,
        "supported_parameters": ["temperature", "tools"],
        "status": 0,
        "uptime_last_5m": None,
        "uptime_last_30m": None,
        "uptime_last_1d": None,
        "latency_last_30m": None,
        "throughput_last_30m": None,
        "tool_calls_last_30m": None,
        "structured_outputs_last_30m": None,
        "supports_implicit_caching": True,
        "supports_voice_cloning": False,
        "supports_diarization": False,
        "supports_tool_choice": {"none": False, "auto": False, "required": False, "function": False},
        "native_tools": {},
        "service_tier": None,
    }


def test_an_endpoint_with_figures() -> None:
    stats = EndpointStats(
        status=-2, uptime_5m=99.5, latency=Percentiles(1, 2, 3, 4), throughput=Percentiles(5, 6, 7, 8), tool_calls=Errors(9, 1)
    )
    view = endpoints_view(MODEL, (CHEAP, DEAR), {CHEAP.id: stats})
    first, second = view["endpoints"]  # type: ignore[misc]
    assert (first["status"], first["uptime_last_5m"]) == (-2, 99.5)
    assert first["latency_last_30m"] == {"p50": 1, "p75": 2, "p90": 3, "p99": 4}
    assert first["throughput_last_30m"] == {"p50": 5, "p75": 6, "p90": 7, "p99": 8}
    assert (first["tool_calls_last_30m"], first["structured_outputs_last_30m"]) == ({"requests": 9, "errors": 1}, None)
    assert second["uptime_last_5m"] is None
    assert set(view) == {"id", "name", "created", "description", "architecture", "endpoints"}


def test_tool_choice_depends_on_the_endpoint() -> None:
    def choice(parameters: frozenset[str] | None, quirks: Quirks) -> object:
        return endpoint_view(endpoint("x", prompt=0, parameters=parameters, quirks=quirks), MODEL)["supports_tool_choice"]

    everything = {"none": True, "auto": True, "required": True, "function": True}
    assert choice(None, Quirks()) == everything
    assert choice(frozenset({"tool_choice"}), Quirks()) == everything
    assert choice(None, Quirks(tools="schema")) == {**everything, "auto": False}
    assert choice(None, Quirks(tools="none")) == dict.fromkeys(everything, False)


def test_prices_with_overrides() -> None:
    pricing = Pricing(
        prompt=1_000_000,
        request=5_000_000_000,
        image=0,
        overrides=(PriceOverride({"prompt": 2_000_000}, min_prompt_tokens=200_000), PriceOverride({"prompt": 1}, utc_start=0, utc_end=400)),
    )
    assert pricing_view(pricing) == {
        "prompt": "0.000001",
        "completion": "0",
        "request": "0.005",
        "image": "0",
        "overrides": [{"min_prompt_tokens": 200_000, "prompt": "0.000002"}, {"utc_start": 0, "utc_end": 400, "prompt": "0.000000000001"}],
    }


def test_an_endpoint_that_names_no_parameters_takes_all() -> None:
    assert len(parameters_of((endpoint("x", prompt=0, parameters=None),))) == 26
    assert parameters_of(()) == []


def test_modalities_of_a_model_that_makes_images() -> None:
    painter = Model(id="a/b", name="", author="a", canonical_slug="a/b", created=0, output_modalities=("image", "text"))
    assert architecture_view(painter)["modality"] == "text->text+image"


def test_a_provider() -> None:
    assert provider_view(Provider(slug="acme", name="Acme", headquarters="DE", datacenters=("DE",))) == {
        "name": "Acme",
        "slug": "acme",
        "privacy_policy_url": None,
        "terms_of_service_url": None,
        "status_page_url": None,
        "headquarters": "DE",
        "datacenters": ["DE"],
    }
    assert provider_view(Provider(slug="acme", name="Acme"))["datacenters"] is None


def test_a_router_has_the_price_of_what_it_chooses() -> None:
    known = catalogue(endpoint("acme", prompt=5, parameters=None))
    views = {id: model_view(known, row) for id, row in known.routers.items()}
    assert views["openrouter/auto"]["pricing"] == {"prompt": "-1", "completion": "-1"}
    assert views["openrouter/free"]["pricing"] == {"prompt": "0", "completion": "0"}
    assert views["openrouter/auto"]["supported_parameters"] == list(PARAMETER_ORDER)
    assert views["openrouter/bodybuilder"]["supported_parameters"] == []
    assert all("reasoning" not in view for view in views.values())


def test_a_mirror_names_its_target() -> None:
    models = [Model(id=f"a/m-{n}", name=f"A: M {n}", author="a", canonical_slug=f"a/m-{n}", created=n) for n in (1, 2)]
    known = Catalogue(models=models, endpoints=[], providers={}, authors={}, missing={})
    view = model_view(known, known.mirrors["~a/m-latest"])
    assert view["alias_target"] == {"name": "A: M 2", "slug": "a/m-2"}
    assert (view["id"], view["name"], view["canonical_slug"]) == ("~a/m-latest", "A: M 2 (latest)", "a/m-2")
    assert "alias_target" not in model_view(known, models[1])
