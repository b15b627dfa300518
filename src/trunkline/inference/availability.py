"""Errors for requests that no endpoint can serve, each with `error.availability` (contract 2.12, "availability.code")."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from trunkline.catalogue.catalogue import Catalogue
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Model
from trunkline.protocol.routing import Plan

DOCS = "/docs/errors"
CONVERSATIONS = "/api/v1/chat/completions"
OPERATIONS: Mapping[str, str] = {
    "text": CONVERSATIONS,
    "embeddings": "/api/v1/embeddings",
    "rerank": "/api/v1/rerank",
    "speech": "/api/v1/audio/speech",
    "transcription": "/api/v1/audio/transcriptions",
    "image": "/api/v1/images",
}
"""Which operation makes each kind of output."""
FIELDS: Mapping[str, str] = {
    **{
        name: f"provider.{name}"
        for name in (
            *("only", "ignore", "order", "zdr", "data_collection", "enforce_distillable_text", "quantizations", "max_price"),
            *("require_parameters", "allow_fallbacks"),
        )
    },
    "prompt": "messages",
    "region": "host",
}
"""The field of the request behind a rule of the router; a rule that is not listed is named after its field."""
MOST_STAND_INS = 3
_OTHER_MODELS_HELP = frozenset(("capacity_exhausted", "temporarily_unavailable", "model_unavailable_upstream"))
_PLACES = frozenset(("geo", "data_region"))
SHORTEN = "The plugin context-compression shortens what is too long"
KEPT = "The name of the host keeps the request in a region"


def availability(code: str, models: Sequence[str], *, retryable: bool = False, **more: object) -> dict[str, object]:
    """The `availability` object: code, whether a retry can help, the requested models, and what else is known (empties are left out)."""
    known = {name: value for name, value in more.items() if value}
    return {"code": code, "retryable": retryable, "requested_models": list(models), **known, "docs_url": f"{DOCS}#{code}"}


def model_not_found(slug: str, requested: Sequence[str]) -> ApiError:
    """No model has this slug."""
    return ApiError("invalid_request", f"{slug} is not a valid model ID", availability=availability("model_not_found", requested))


def model_missing() -> ApiError:
    """The request names no model and the instance has no default."""
    return ApiError("invalid_request", "model: required. Name a model, such as the ones that GET /api/v1/models lists")


def not_configured(slug: str, alternatives: Sequence[Sequence[str]]) -> ApiError:
    """The model is known, but no provider of it has a credential: says which sets of variables would help, the smallest first."""
    wanted = ", or ".join(" and ".join(names) for names in sorted(alternatives, key=len))
    return ApiError(
        "not_found",
        f"No endpoints found for {slug}: no provider of it is configured here. Set {wanted} for the server and start it again"
        if alternatives
        else f"No endpoints found for {slug}: no provider serves it here",
        availability=availability("no_endpoints", [slug]),
    )


def asked_for(error: ApiError, requested: Sequence[str]) -> ApiError:
    """An error about one model, as that of a request that named several."""
    if error.availability is not None:
        error.availability = {**error.availability, "requested_models": list(requested)}
    return error


def retired(slug: str, successor: str | None = None) -> ApiError:
    """The catalogue says that the model is gone, and what has taken its place."""
    return ApiError(
        "not_found",
        f"{slug} has been retired" + (f". Use {successor} instead" if successor else ""),
        availability=availability("model_deprecated", [slug], fallback_models=[successor] if successor else ()),
    )


def free_variant_ended(slug: str, paid: str) -> ApiError:
    """The model is there, but not for free."""
    return ApiError(
        "not_found",
        f"{slug} is not offered here. The paid model is {paid}",
        availability=availability("free_variant_ended", [slug], fallback_models=[paid]),
    )


def wrong_endpoint(slug: str, outputs: Sequence[str]) -> ApiError:
    """Another operation serves the model: names it."""
    right = next((OPERATIONS[output] for output in outputs if output in OPERATIONS), CONVERSATIONS)
    return ApiError(
        "invalid_request",
        f"{slug} makes {' and '.join(outputs)} and is not served by this operation. Use POST {right}",
        availability=availability("wrong_endpoint", [slug], constraint={"field": "endpoint", "detail": right}),
    )


def must_reason(slug: str) -> ApiError:
    """The caller wants no reasoning of a model that always reasons (contract 2.7)."""
    message = f"{slug}: Reasoning is mandatory for this model and cannot be switched off"
    return ApiError("invalid_request", f"{message}. The slug ~author/family-latest takes the lowest effort instead")


def needs_messages(slug: str) -> ApiError:
    """A router reads a conversation, which the operation or the request has none of (contract 3.7, "needs messages")."""
    told = {"field": "endpoint", "detail": CONVERSATIONS}
    return ApiError(
        "invalid_request",
        f"{slug} needs messages. Use POST {CONVERSATIONS}",
        availability=availability("wrong_endpoint", [slug], constraint=told),
    )


def not_here(slug: str, why: str) -> ApiError:
    """A router that this server does not have."""
    return ApiError("not_found", f"No endpoints found for {slug}: {why}", availability=availability("no_endpoints", [slug]))


def wrong_modality(slug: str, modality: str) -> ApiError:
    """The model does not take such input."""
    return ApiError(
        "not_found",
        f"No endpoints found that support {modality} input for {slug}",
        availability=availability("constraint_filtered", [slug], constraint={"field": "messages", "detail": f"{modality} input"}),
    )


def all_excluded(plan: Plan, requested: Sequence[str], permitted: Sequence[str] | None = None) -> ApiError:
    """Endpoints exist, but each broke a constraint of the caller: names every endpoint with the rule it broke, and the providers that the
    caller permitted, if it named some."""
    reasons = sorted({one.reason for one in plan.excluded})
    error_type, code = _refusal_of(reasons)
    rules = {one.rule for one in plan.excluded if one.rule}
    providers = sorted({one.endpoint.provider_name for one in plan.excluded})
    detail = ", ".join(f"{one.endpoint.tag} ({one.rule or one.reason})" for one in plan.excluded)
    allowed = f". The request permits only: {', '.join(permitted)}" if permitted else ""
    shorten = f". {SHORTEN}" if any(one.rule == "prompt" for one in plan.excluded) else ""
    kept = f". {KEPT}" if any(one.rule == "region" for one in plan.excluded) else ""
    return ApiError(
        error_type,
        f"No endpoints found for {', '.join(requested)} that meet the request's constraints: {detail}{allowed}{shorten}{kept}",
        availability=availability(
            code,
            requested,
            excluded_by=reasons,
            affected_providers=providers,
            constraint=_constraint(rules.pop(), len(plan.excluded)) if len(rules) == 1 else None,
        ),
    )


def _refusal_of(reasons: Sequence[str]) -> tuple[str, str]:
    """Error type and availability code, where each endpoint was left out for one of these reasons."""
    if reasons and all(reason.startswith("data_policy") for reason in reasons):
        return "not_found", "privacy_restricted"
    if reasons and _PLACES.issuperset(reasons):
        return "permission_denied", "region_restricted"
    return "not_found", "constraint_filtered"


def _constraint(rule: str, endpoints: int) -> dict[str, str]:
    return {
        "field": FIELDS.get(rule, rule),
        "detail": f"rules out {'the only endpoint' if endpoints == 1 else f'all {endpoints} endpoints'}",
    }


def advise(error: ApiError, catalogue: Catalogue, models: Sequence[str], today: str | None = None) -> None:
    """Add to an error that another model may help against which ones can be called here: see `stand_ins`. A model that no endpoint knows
    any more, and whose author has announced that, is deprecated. `today`: the date (UTC) if it is not that of now."""
    told = error.availability
    if told is None or told["code"] not in _OTHER_MODELS_HELP or "fallback_models" in told or not models:
        return
    resolved = catalogue.resolve(models[0])
    if resolved is None:
        return
    found = [one for one in stand_ins(catalogue, resolved.model) if one not in models]
    code = str(told["code"])
    if code == "model_unavailable_upstream" and resolved.model.expiration_date is not None:
        today = today or datetime.now(UTC).date().isoformat()
        code = "model_deprecated" if resolved.model.expiration_date < today else code
    known = {key: value for key, value in told.items() if key not in ("code", "docs_url")}
    more = {"fallback_models": found} if found else {}
    error.availability = {"code": code, **known, **more, "docs_url": f"{DOCS}#{code}"}


def stand_ins(catalogue: Catalogue, model: Model) -> list[str]:
    """Models of the same author that take the same input, make the same output and can be called now; its successor
    first, then those of about the same price."""
    price = _price(catalogue, model)
    alike = [
        one
        for one in catalogue.models.values()
        if one.author == model.author
        and one.id != model.id
        and not one.retired
        and set(model.input_modalities) <= set(one.input_modalities)
        and set(model.output_modalities) <= set(one.output_modalities)
        and catalogue.available(one.id)
    ]
    alike.sort(key=lambda one: (one.id != model.successor, abs(_price(catalogue, one) - price), one.id))
    return [one.id for one in alike][:MOST_STAND_INS]


def _price(catalogue: Catalogue, model: Model) -> int:
    headline = catalogue.headline(model.id)
    return 0 if headline is None else headline.pricing.prompt + headline.pricing.completion


def no_search(slug: str) -> ApiError:
    """`:online` is the model with the plugin `web` (contract 0.11), for which an instance needs a search engine (8.4)."""
    message = f"{slug[:256]}: The variant :online needs the plugin web, and this server has no search engine; leave it out"
    return ApiError("invalid_request", message)


def not_offered(models: Sequence[str], operation: str) -> ApiError:
    """The models have endpoints, but none that offers the operation as the request needs it."""
    return ApiError(
        "not_found",
        f"No endpoints found for {', '.join(models)} that support this {operation} request",
        availability=availability("constraint_filtered", models, constraint={"field": "model", "detail": operation}),
    )
