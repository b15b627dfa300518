"""The wire shapes of models, endpoints and providers: contract 5.13, and what the SDKs demand beyond it (section 11).

Pure functions from Structs to what is encoded as JSON. Prices are decimal strings of USD a unit, times Unix seconds, lengths tokens.
"""

from collections.abc import Iterable, Mapping

from trunkline.catalogue import router_rows
from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.service_tiers import sold
from trunkline.catalogue.statistics import UNMEASURED_ENDPOINT, EndpointStats, Errors, Percentiles
from trunkline.catalogue.vocabulary import DEFAULT_PARAMETERS, MODALITY_ORDER, PARAMETER_ORDER
from trunkline.protocol.catalogue import Endpoint, Model, Pricing, Provider, Reasoning
from trunkline.protocol.money import usd_text

View = dict[str, object]

_ALWAYS = ("prompt", "completion")
_RATES = tuple(name for name in Pricing.__struct_fields__ if name != "overrides")
_CONDITIONS = ("min_prompt_tokens", "utc_start", "utc_end")
_UNKNOWN_PRICE: View = {"prompt": "-1", "completion": "-1"}
"""What OpenRouter writes for models without a price of their own."""


def model_view(catalogue: Catalogue, model: Model) -> View:
    """One row of `GET /models`, with the extension fields `available` and `missing_env` (design 5).

    Price and `top_provider` are those of the model's headline endpoint; `supported_parameters` is what any of its endpoints takes.
    """
    endpoints = catalogue.endpoints_of(model.id)
    lead = catalogue.headline(model.id)
    view: View = {
        "id": model.id,
        "canonical_slug": model.canonical_slug,
        "hugging_face_id": model.hugging_face_id,
        "name": model.name,
        "created": model.created,
        "description": model.description,
        "context_length": model.context_length,
        "architecture": architecture_view(model),
        "pricing": pricing_view(lead.pricing) if lead else _unpriced(model),
        "top_provider": {
            "context_length": (lead.context_length if lead else None) or model.context_length,
            "max_completion_tokens": lead.max_completion_tokens if lead else None,
            "is_moderated": model.is_moderated,
        },
        "per_request_limits": None,
        "supported_parameters": list(PARAMETER_ORDER) if _chooses(catalogue, model) else parameters_of(endpoints),
        "default_parameters": _default_parameters(model),
        "supported_voices": None,
        "knowledge_cutoff": model.knowledge_cutoff,
        "expiration_date": model.expiration_date,
        "links": {"details": f"/api/v1/models/{model.id}/endpoints"},
        "available": catalogue.available(model.id),
        "missing_env": list(catalogue.missing_env(model.id)),
    }
    if model.reasoning is not None:
        view["reasoning"] = _reasoning_view(model.reasoning)
    target = catalogue.alias_target(model.id)
    if target is not None:
        view["alias_target"] = {"name": target.name, "slug": target.id}
    return view


def endpoints_view(model: Model, endpoints: Iterable[Endpoint], stats: Mapping[str, EndpointStats]) -> View:
    """`data` of `GET /models/{author}/{slug}/endpoints`. `stats` is by endpoint id."""
    return {
        "id": model.id,
        "name": model.name,
        "created": model.created,
        "description": model.description,
        "architecture": architecture_view(model),
        "endpoints": [endpoint_view(endpoint, model, stats.get(endpoint.id)) for endpoint in endpoints],
    }


def endpoint_view(endpoint: Endpoint, model: Model, stats: EndpointStats | None = None) -> View:
    """One endpoint of `model` (PublicEndpoint). Without `stats` all measured figures are null."""
    measured = stats or UNMEASURED_ENDPOINT
    return {
        "name": f"{endpoint.provider_name} | {model.canonical_slug}",
        "model_id": model.id,
        "model_name": model.name,
        "context_length": endpoint.context_length or model.context_length or 0,
        "pricing": pricing_view(endpoint.pricing) | {"discount": 0},
        "provider_name": endpoint.provider_name,
        "tag": endpoint.tag,
        "quantization": endpoint.quantization,
        "max_completion_tokens": endpoint.max_completion_tokens,
        "max_prompt_tokens": endpoint.max_prompt_tokens,
        "supported_parameters": parameters_of((endpoint,)),
        "status": measured.status,
        "uptime_last_5m": measured.uptime_5m,
        "uptime_last_30m": measured.uptime_30m,
        "uptime_last_1d": measured.uptime_1d,
        "latency_last_30m": _percentiles_view(measured.latency),
        "throughput_last_30m": _percentiles_view(measured.throughput),
        "tool_calls_last_30m": _errors_view(measured.tool_calls),
        "structured_outputs_last_30m": _errors_view(measured.structured_outputs),
        "supports_implicit_caching": endpoint.implicit_caching,
        "supports_voice_cloning": False,
        "supports_diarization": False,
        "supports_tool_choice": _tool_choice_view(endpoint),
        "native_tools": {},
        "service_tier": sold(endpoint) or None,
    }


def provider_view(provider: Provider) -> View:
    """One row of `GET /providers`; null where no source says."""
    return {
        "name": provider.name,
        "slug": provider.slug,
        "privacy_policy_url": provider.privacy_policy_url,
        "terms_of_service_url": provider.terms_of_service_url,
        "status_page_url": provider.status_page_url,
        "headquarters": provider.headquarters,
        "datacenters": None if provider.datacenters is None else list(provider.datacenters),
    }


def architecture_view(model: Model) -> View:
    """`architecture`; `modality` reads `text+image->text`."""
    inputs, outputs = _ordered(model.input_modalities), _ordered(model.output_modalities)
    return {
        "modality": f"{'+'.join(inputs)}->{'+'.join(outputs)}",
        "input_modalities": inputs,
        "output_modalities": outputs,
        "tokenizer": model.tokenizer,
        "instruct_type": model.instruct_type,
    }


def pricing_view(pricing: Pricing) -> View:
    """The prices that are named, as decimal strings; `request` only when it costs something."""
    rates = {name: getattr(pricing, name) for name in _RATES}
    view: View = {
        name: usd_text(rate) for name, rate in rates.items() if name in _ALWAYS or (rate if name == "request" else rate is not None)
    }
    if pricing.overrides:
        view["overrides"] = [
            {name: getattr(override, name) for name in _CONDITIONS if getattr(override, name) is not None}
            | {name: usd_text(rate) for name, rate in override.rates.items()}
            for override in pricing.overrides
        ]
    return view


def parameters_of(endpoints: Iterable[Endpoint]) -> list[str]:
    """The parameters that at least one of the endpoints takes, in the contract's order. An endpoint that names none takes all."""
    supported: set[str] = set()
    for endpoint in endpoints:
        supported.update(PARAMETER_ORDER if endpoint.supported_parameters is None else endpoint.supported_parameters)
    return [name for name in PARAMETER_ORDER if name in supported]


def _unpriced(model: Model) -> View:
    return {"prompt": "0", "completion": "0"} if model.id in router_rows.FREE_OF_CHARGE else _UNKNOWN_PRICE


def _chooses(catalogue: Catalogue, model: Model) -> bool:
    """Whether this is a router that chooses a model which can do what a request needs."""
    return model.id in catalogue.routers and model.id not in router_rows.SELF_MADE


def _ordered(modalities: tuple[str, ...]) -> list[str]:
    return sorted(modalities, key=MODALITY_ORDER.index)


def _default_parameters(model: Model) -> View | None:
    if model.default_parameters is None:
        return None
    view: View = {name: model.default_parameters.get(name) for name in DEFAULT_PARAMETERS}
    top_k = model.default_parameters.get("top_k")
    return view | {"top_k": None if top_k is None else int(top_k)}


def _reasoning_view(reasoning: Reasoning) -> View:
    view: View = {
        "mandatory": reasoning.mandatory,
        "default_enabled": reasoning.default_enabled,
        "supported_efforts": None if reasoning.supported_efforts is None else list(reasoning.supported_efforts),
    }
    if reasoning.default_effort is not None:
        view["default_effort"] = reasoning.default_effort
    if reasoning.supports_max_tokens:
        view["supports_max_tokens"] = True
    return view


def _percentiles_view(percentiles: Percentiles | None) -> View | None:
    if percentiles is None:
        return None
    return {"p50": percentiles.p50, "p75": percentiles.p75, "p90": percentiles.p90, "p99": percentiles.p99}


def _errors_view(errors: Errors | None) -> View | None:
    return None if errors is None else {"requests": errors.requests, "errors": errors.errors}


def _tool_choice_view(endpoint: Endpoint) -> View:
    """Which values of `tool_choice` work. Tools as a JSON schema (`quirks.tools`) force a call and leave no choice to the model."""
    named = endpoint.supported_parameters is None or "tool_choice" in endpoint.supported_parameters
    takes = named and endpoint.quirks.tools != "none"
    return {"none": takes, "auto": takes and endpoint.quirks.tools == "native", "required": takes, "function": takes}
