"""From the names in a request to the endpoints that could serve it."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from trunkline.catalogue.catalogue import Catalogue, Resolved
from trunkline.errors import ApiError
from trunkline.inference import availability
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.routing import NO_VARIANTS, RequestFacts

NONE: Final[frozenset[str]] = frozenset()
SILENT: Final = frozenset(("embeddings", "rerank", "speech", "transcription"))
"""Output modalities of models that do not converse."""


def resolve(catalogue: Catalogue, request: InboundRequest) -> list[tuple[Endpoint, ...]]:
    """The callable endpoints of each model that the request names, in its order.

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
        refusal = _refusal(catalogue, resolved, request)
        if refusal is None:
            candidates.append(resolved.endpoints)
        else:
            refusals.append(refusal)
    if not candidates:
        raise availability.asked_for(refusals[0], request.models)
    return candidates


def _unknown(catalogue: Catalogue, slug: str, request: InboundRequest) -> ApiError:
    """A free variant that is not offered any more. Raises ApiError for a slug that no model has or had."""
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
    if request.modalities:
        unsupported = sorted(request.modalities - set(model.input_modalities) - {"file"})
        if unsupported:
            return availability.wrong_modality(model.id, unsupported[0])
    return None


def plan_facts(catalogue: Catalogue, request: InboundRequest, prompt_tokens: int) -> RequestFacts:
    """What the router may know of the request."""
    return RequestFacts(
        request.models,
        request.parameters,
        prompt_tokens,
        request.max_tokens,
        request.modalities,
        service_tier=_service_tier(request),
        variants=_variants(catalogue, request) if any(":" in slug for slug in request.models) else NO_VARIANTS,
        distillable=_distillable(catalogue, request) if request.preferences.enforce_distillable_text else NONE,
    )


def _service_tier(request: InboundRequest) -> str | None:
    raw = request.fields.get("service_tier")
    tier = None if raw is None else msgspec.json.decode(raw)
    return tier if isinstance(tier, str) else None


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
