"""From the names in a request to the endpoints that could serve it."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import structs

from trunkline.catalogue import router_rows, slugs
from trunkline.catalogue.catalogue import Catalogue, Resolved
from trunkline.errors import ApiError
from trunkline.inference import availability
from trunkline.inference.own_keys import Copies
from trunkline.protocol.catalogue import Endpoint, Model
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.routing import NO_VARIANTS, RequestFacts

NONE: Final[frozenset[str]] = frozenset()
_FAST: Final = frozenset(("fast", "priority"))
SILENT: Final = frozenset(("embeddings", "rerank", "speech", "transcription", "image"))
"""Output modalities of models that do not converse: those that make one of these beside text do (contract 2.11)."""


def resolve(catalogue: Catalogue, request: InboundRequest, own: Copies | None = None) -> list[tuple[Endpoint, ...]]:
    """The callable endpoints of each model that the request names, in its order; `own` gives those for the caller's own keys.

    A model that cannot serve is passed over when another can. Raises ApiError when none can, with the reason of the first; a name that no
    model has is always an error, since it is most likely a typing mistake.
    """
    if not request.models:
        raise availability.model_missing()
    candidates: list[tuple[Endpoint, ...]] = []
    refusals: list[ApiError] = []
    for slug in request.models:
        resolved = catalogue.resolve(slug)
        if resolved is None:
            refusals.append(_unknown(catalogue, slug, request))
            continue
        if "online" in resolved.variants:
            raise availability.no_search(slug)
        if own is not None:
            resolved = structs.replace(resolved, endpoints=own(catalogue, resolved.model.id) + resolved.endpoints)
        refusal = _refusal(catalogue, resolved, request)
        if refusal is None:
            if resolved.model.fast and _wants_fast(request):
                candidates += _faster(catalogue, resolved.model, own)
            candidates.append(resolved.endpoints)
        else:
            refusals.append(refusal)
    if not candidates:
        raise availability.asked_for(refusals[0], request.models)
    return candidates


def _unknown(catalogue: Catalogue, slug: str, request: InboundRequest) -> ApiError:
    """A router that is not here, or has no place here, or a free variant that is not offered any more. Raises ApiError for a slug that
    nothing has or had."""
    parts = slugs.take_apart(slug)
    if parts is not None and parts.listed in catalogue.routers:
        return availability.needs_messages(parts.listed)
    if parts is not None and parts.listed in router_rows.NOT_HERE:
        return availability.not_here(parts.listed, router_rows.NOT_HERE[parts.listed])
    base, _, variant = slug.rpartition(":")
    paid = catalogue.resolve(base) if variant.lower() == "free" else None
    if paid is None:
        raise availability.model_not_found(slug, request.models)
    return availability.free_variant_ended(slug, paid.model.id)


def _refusal(catalogue: Catalogue, resolved: Resolved, request: InboundRequest) -> ApiError | None:
    model = resolved.model
    if model.retired:
        return availability.retired(model.id, model.successor)
    if not request.outputs and SILENT.issuperset(model.output_modalities):
        return availability.wrong_endpoint(model.id, model.output_modalities)
    if request.outputs and request.outputs.isdisjoint(model.output_modalities):
        return availability.wrong_endpoint(model.id, model.output_modalities)
    if not resolved.endpoints:
        return availability.not_configured(model.id, catalogue.alternatives(model.id))
    if request.reasoning_off and must_reason(model) and not resolved.requested.startswith("~"):
        return availability.must_reason(model.id)
    if request.modalities:
        unsupported = sorted(request.modalities - set(model.input_modalities) - {"file"})
        if unsupported:
            return availability.wrong_modality(model.id, unsupported[0])
    return None


def must_reason(model: Model) -> bool:
    """Whether the model cannot be kept from reasoning (contract 2.7)."""
    reasoning = model.reasoning
    return reasoning is not None and reasoning.mandatory and "none" not in (reasoning.supported_efforts or ())


def plan_facts(catalogue: Catalogue, request: InboundRequest, prompt_tokens: int, sticky: str = "") -> RequestFacts:
    """What the router may know of the request. `sticky`: see `RequestFacts`."""
    return RequestFacts(
        request.models,
        request.parameters,
        prompt_tokens,
        request.max_tokens,
        request.modalities,
        service_tier=_service_tier(request),
        variants=_variants(catalogue, request) if any(":" in slug for slug in request.models) else NO_VARIANTS,
        sticky=sticky,
        distillable=_distillable(catalogue, request) if request.preferences.enforce_distillable_text else NONE,
        region=request.region,
    )


def _service_tier(request: InboundRequest) -> str | None:
    """The tier that the caller names; `speed: fast` is another word for it (contract 2.1)."""
    raw = request.fields.get("service_tier")
    tier = None if raw is None else msgspec.json.decode(raw)
    if isinstance(tier, str):
        return tier
    return "fast" if "speed" in request.fields and _speed(request) == "fast" else None


def _speed(request: InboundRequest) -> object:
    raw = request.fields.get("speed")
    return None if raw is None else msgspec.json.decode(raw)


def _wants_fast(request: InboundRequest) -> bool:
    """Whether the faster listing of a model is meant; where speed and tier contradict each other, the speed says so."""
    return (_speed(request) or _service_tier(request)) in _FAST


def _faster(catalogue: Catalogue, model: Model, own: Copies | None) -> list[tuple[Endpoint, ...]]:
    """The endpoints of the faster listing at the model's own author, who alone serves it (contract 3.9)."""
    found = catalogue.resolve(model.fast)
    if found is None or found.model.retired:
        return []
    endpoints = found.endpoints if own is None else own(catalogue, found.model.id) + found.endpoints
    first_party = tuple([one for one in endpoints if one.provider == model.author])
    return [first_party] if first_party else []


def _variants(catalogue: Catalogue, request: InboundRequest) -> Mapping[str, tuple[str, ...]]:
    """The dynamic suffixes of each model, as it was named first."""
    found = [resolved for slug in reversed(request.models) if (resolved := catalogue.resolve(slug)) is not None]
    return {resolved.model.id: resolved.variants for resolved in found}


def _distillable(catalogue: Catalogue, request: InboundRequest) -> frozenset[str]:
    """The models whose authors allow distillation; an author who says nothing does not."""
    found = [resolved for slug in request.models if (resolved := catalogue.resolve(slug)) is not None]
    return frozenset(resolved.model.id for resolved in found if resolved.model.distillable)


def models_of(candidates: Sequence[Sequence[Endpoint]]) -> list[str]:
    """The public ids of the candidate models."""
    return [endpoints[0].model for endpoints in candidates]
