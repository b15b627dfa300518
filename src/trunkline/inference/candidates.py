"""From the names in a request to the endpoints that could serve it."""

from collections.abc import Sequence

from trunkline.catalogue.catalogue import Catalogue, Resolved
from trunkline.errors import ApiError
from trunkline.inference import availability
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.routing import RequestFacts


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
            raise availability.model_not_found(slug, request.models)
        refusal = _refusal(catalogue, resolved, request)
        if refusal is None:
            candidates.append(resolved.endpoints)
        else:
            refusals.append(refusal)
    if not candidates:
        raise refusals[0]
    return candidates


def _refusal(catalogue: Catalogue, resolved: Resolved, request: InboundRequest) -> ApiError | None:
    model = resolved.model
    if model.retired:
        return availability.retired(model.id)
    if request.outputs and request.outputs.isdisjoint(model.output_modalities):
        return availability.wrong_output(model.id, request.outputs)
    if not resolved.endpoints:
        return availability.not_configured(model.id, catalogue.missing_env(model.id))
    if request.modalities:
        unsupported = sorted(request.modalities - set(model.input_modalities) - {"file"})
        if unsupported:
            return availability.wrong_modality(model.id, unsupported[0])
    return None


def plan_facts(request: InboundRequest, prompt_tokens: int) -> RequestFacts:
    """What the router may know of the request."""
    return RequestFacts(request.models, request.parameters, prompt_tokens, request.max_tokens, request.modalities)


def models_of(candidates: Sequence[Sequence[Endpoint]]) -> list[str]:
    """The public ids of the candidate models."""
    return [endpoints[0].model for endpoints in candidates]
