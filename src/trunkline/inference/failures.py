"""What the caller is told when every attempt failed: one honest error made of all of them (contract 2.12, adapters' taxonomy)."""

import math
from collections.abc import Sequence

from msgspec import Struct

from trunkline.errors import ApiError, UpstreamError, UpstreamRefused
from trunkline.inference.availability import availability
from trunkline.inference.verdicts import verdict
from trunkline.protocol.catalogue import Endpoint

TRANSIENT = frozenset({"connect", "timeout", "overloaded", "server", "malformed", "empty", "stream_cut"})
PASSED_ON = frozenset({"caller_fault", "unsupported_param", "stale_reasoning", "max_output", "context_length", "moderation", "flagged"})
"""Classes in which the upstream's own words tell the caller what to change."""
FLAGGED_CHARS = 100
GAP = "..."


class Failure(Struct, frozen=True):
    """One failed attempt."""

    endpoint: Endpoint
    error: UpstreamError


def provider_code(error: UpstreamError) -> str | None:
    """The upstream's own error code."""
    return error.code if isinstance(error, UpstreamRefused) else None


def retry_after(failures: Sequence[Failure]) -> int | None:
    """The smallest hint, in whole seconds and never too early, when every attempt gave one (contract 1.7)."""
    hints = [one.error.retry_after if isinstance(one.error, UpstreamRefused) else None for one in failures]
    known = [hint for hint in hints if hint is not None]
    return max(1, math.ceil(min(known))) if known and len(known) == len(hints) else None


def _message(last: Failure) -> str:
    name = last.endpoint.provider_name
    if last.error.kind in PASSED_ON:
        return last.error.message
    return f"{name}: {last.error.told or last.error.message}"


def _aggregate(failures: Sequence[Failure], models: Sequence[str], hint: int | None) -> tuple[str, int, dict[str, object] | None]:
    """Error type, HTTP status and availability of several failures together."""
    kinds = {one.error.kind for one in failures}
    providers = sorted({one.endpoint.provider_name for one in failures})
    if kinds == {"rate_limit"}:
        more = availability("capacity_exhausted", models, retryable=True, retry_after=hint, affected_providers=providers)
        return "rate_limit_exceeded", 429, more
    if len(failures) > 1 and kinds <= TRANSIENT:
        return "provider_overloaded", 503, _passing(failures, models, hint)
    if kinds == {"model_access"}:
        return "not_found", 404, availability("model_unavailable_upstream", models, affected_providers=providers)
    if kinds == {"region"}:
        return "permission_denied", 403, availability("region_restricted", models, affected_providers=providers, excluded_by=["geo"])
    last = failures[-1].error
    error_type = verdict(last, own_key=bool(failures[-1].endpoint.byok)).error_type
    status = last.status if last.kind == "overloaded" and last.status == 529 else ApiError(error_type, "").status
    return error_type, status, _passing(failures, models, hint) if kinds <= TRANSIENT else None


def _moderated(endpoint: Endpoint, error: UpstreamRefused) -> dict[str, object]:
    """What is told of a refusal by moderation (contract 2.12). `flagged_input` is empty where the upstream does not say it."""
    if error.kind == "flagged":
        return {"reasons": list(error.reasons), "flagged_input": elided(error.flagged_input), "model_slug": endpoint.model}
    return {"reasons": list(error.reasons)} if error.kind == "moderation" and error.reasons else {}


def elided(text: str) -> str:
    """At most 100 characters of a text, without its middle."""
    if len(text) <= FLAGGED_CHARS:
        return text
    kept = FLAGGED_CHARS - len(GAP)
    return text[: kept // 2] + GAP + text[-(kept - kept // 2) :]


def _passing(failures: Sequence[Failure], models: Sequence[str], hint: int | None) -> dict[str, object]:
    """The availability of a model whose endpoints fail in ways that pass. A lone failure has it too, beside its own status."""
    providers = sorted({one.endpoint.provider_name for one in failures})
    return availability("temporarily_unavailable", models, retryable=True, retry_after=hint, affected_providers=providers)


def summarise(failures: Sequence[Failure], models: Sequence[str], *, before: Sequence[Failure] = ()) -> ApiError:
    """The error of a request all of whose attempts failed; the last failure gives the message, the others are listed in
    `previous_errors`. `before`: attempts that failed before one that gave content, and then failed too."""
    hint = retry_after(failures)
    error_type, status, available = _aggregate(failures, models, hint)
    last = failures[-1]
    metadata: dict[str, object] = {"error_type": error_type, "provider_name": last.endpoint.provider_name}
    code = provider_code(last.error)
    if code is not None:
        metadata["provider_code"] = code
    if isinstance(last.error, UpstreamRefused):
        metadata |= _moderated(last.endpoint, last.error)
        if last.error.raw and last.error.kind in PASSED_ON:
            metadata["raw"] = last.error.raw
    earlier = [*before, *failures[:-1]]
    if earlier:
        metadata["previous_errors"] = [
            {"provider": one.endpoint.provider_name, "code": provider_code(one.error), "status": one.error.status} for one in earlier
        ]
    told = status in (429, 503) or "retry_after" in (available or ())
    headers = [("retry-after", str(hint))] if hint is not None and told else []
    return ApiError(error_type, _message(last), status=status, metadata=metadata, availability=available, headers=headers)
