"""Errors for requests that no endpoint can serve, each with `error.availability` (contract 2.12, "availability.code")."""

from collections.abc import Iterable, Sequence

from trunkline.errors import ApiError
from trunkline.protocol.routing import Plan

DOCS = "/docs/errors"


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


def not_configured(slug: str, missing: Sequence[str]) -> ApiError:
    """The model is known, but no provider of it has a credential: says which variable to set."""
    wanted = " or ".join(missing)
    return ApiError(
        "not_found",
        f"No endpoints found for {slug}: no provider of it is configured here. Set {wanted} for the server and start it again"
        if missing
        else f"No endpoints found for {slug}: no provider serves it here",
        availability=availability("no_endpoints", [slug]),
    )


def retired(slug: str) -> ApiError:
    """The catalogue says that the model is gone."""
    return ApiError("not_found", f"{slug} has been retired", availability=availability("model_deprecated", [slug]))


def wrong_modality(slug: str, modality: str) -> ApiError:
    """The model does not take such input."""
    return ApiError(
        "not_found",
        f"No endpoints found that support {modality} input for {slug}",
        availability=availability("constraint_filtered", [slug], constraint={"field": "messages", "detail": f"{modality} input"}),
    )


def wrong_output(slug: str, outputs: Iterable[str]) -> ApiError:
    """The model does not make such output."""
    wanted = " or ".join(sorted(outputs))
    return ApiError(
        "not_found",
        f"No endpoints found that support {wanted} output for {slug}",
        availability=availability("constraint_filtered", [slug], constraint={"field": "model", "detail": f"{wanted} output"}),
    )


def all_excluded(plan: Plan, requested: Sequence[str]) -> ApiError:
    """Endpoints exist, but each broke a constraint of the caller: names every endpoint with its reason."""
    reasons = sorted({one.reason for one in plan.excluded})
    private = bool(reasons) and all(reason.startswith("data_policy") for reason in reasons)
    providers = sorted({one.endpoint.provider_name for one in plan.excluded})
    detail = ", ".join(f"{one.endpoint.tag} ({one.reason})" for one in plan.excluded)
    code = "privacy_restricted" if private else "constraint_filtered"
    return ApiError(
        "not_found",
        f"No endpoints found for {', '.join(requested)} that meet the request's constraints: {detail}",
        availability=availability(code, requested, excluded_by=reasons, affected_providers=providers),
    )
