"""The views fit the official SDK's own models, which refuse any missing field (contract 11)."""

import pytest
from openrouter import components, operations

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.listing import models_view, select
from trunkline.catalogue.load import load
from trunkline.catalogue.query import ModelQuery
from trunkline.catalogue.statistics import EndpointStats, Percentiles
from trunkline.catalogue.views import endpoint_view, endpoints_view, model_view, provider_view

STATS = EndpointStats(0, 99.9, 99.5, 98.0, Percentiles(100, 200, 300, 400), Percentiles(50.5, 40, 30, 20))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(None, {"OPENAI_API_KEY": "k"})


def test_the_list_of_models(catalogue: Catalogue) -> None:
    page = select(catalogue, ModelQuery(offset=0, limit=10, output_modalities=None), now=0, stats={})
    answer = components.ModelsListResponse.model_validate(models_view(catalogue, page, "/api/v1/models", {}))
    assert answer.total_count == len(catalogue.models)
    assert len(answer.data) == 10
    assert answer.links.next == "/api/v1/models?offset=10"


def test_each_model(catalogue: Catalogue) -> None:
    for model in catalogue.models.values():
        seen = components.ModelResponse.model_validate({"data": model_view(catalogue, model)}).data
        assert seen.id == model.id
        assert (seen.reasoning is None) == (model.reasoning is None)


def test_each_models_endpoints(catalogue: Catalogue) -> None:
    for model in catalogue.models.values():
        endpoints = catalogue.endpoints_of(model.id)
        view = endpoints_view(model, endpoints, {endpoint.id: STATS for endpoint in endpoints[:1]})
        seen = components.ListEndpointsResponse.model_validate(view)
        assert [endpoint.tag for endpoint in seen.endpoints] == [endpoint.tag for endpoint in endpoints]
        assert seen.endpoints[0].latency_last_30m is not None


def test_one_endpoint_with_and_without_figures(catalogue: Catalogue) -> None:
    model = catalogue.models["openai/gpt-5.4"]
    for endpoint in catalogue.endpoints_of(model.id):
        for stats in (None, STATS):
            seen = components.PublicEndpoint.model_validate(endpoint_view(endpoint, model, stats))
            assert seen.pricing.overrides is not None
            assert seen.pricing.overrides[0].min_prompt_tokens == 272_000


def test_the_list_of_providers(catalogue: Catalogue) -> None:
    rows = [provider_view(provider) for provider in catalogue.providers.values()]
    seen = operations.ListProvidersResponse.model_validate({"data": rows})
    assert {provider.slug for provider in seen.data} == set(catalogue.providers)


def test_no_word_is_unknown_to_the_sdk(catalogue: Catalogue) -> None:
    """The SDK's enumerations are open; a word it does not know would pass validation, so the words are compared."""
    model_fields = components.ModelArchitecture.model_fields
    assert {"tokenizer", "instruct_type", "input_modalities", "output_modalities"} <= set(model_fields)
    for model in catalogue.models.values():
        view = model_view(catalogue, model)
        assert set(view["supported_parameters"]) <= words(components.Parameter)  # type: ignore[call-overload]
        assert model.tokenizer in words(components.ModelGroup)
        assert set(model.input_modalities) <= words(components.InputModality)
        assert set(model.output_modalities) <= words(components.OutputModality)
        assert model.instruct_type is None or model.instruct_type in words(components.InstructType)
    for endpoint in catalogue.endpoints.values():
        assert endpoint.quantization is None or endpoint.quantization in words(components.Quantization)


def words(union: object) -> set[str]:
    """The literal words of one of the SDK's open enumerations."""
    return {word for part in union.__args__ for word in getattr(part, "__args__", ()) if isinstance(word, str)}  # type: ignore[attr-defined]
