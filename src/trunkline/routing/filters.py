"""Which endpoints may serve a request: a table of reasons, in the vocabulary of `error.availability.excluded_by` (contract 2.12)."""

from collections.abc import Callable, Sequence

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.routing import NO_PREFERENCES, Exclusion, MaxPrice, Preferences, RequestFacts
from trunkline.routing import slugs

QUANTIZATION_FAMILIES = {"fp4": frozenset({"fp4", "mxfp4", "nvfp4"}), "fp8": frozenset({"fp8", "mxfp8"})}
SOFT_PARAMETERS = ("tools", "tool_choice", "response_format", "structured_outputs", "verbosity")
CONTEXT_MARGIN = 1.25
"""A prompt estimate may be wrong by this factor before an endpoint is left out for its context length: the upstream knows better than we
do."""

Rule = Callable[[Endpoint, RequestFacts, Preferences], bool]


def _not_listed(endpoint: Endpoint, _facts: RequestFacts, preferences: Preferences) -> bool:
    return preferences.only is not None and slugs.position(preferences.only, endpoint) is None


def _ignored(endpoint: Endpoint, _facts: RequestFacts, preferences: Preferences) -> bool:
    return bool(preferences.ignore) and slugs.position(preferences.ignore, endpoint) is not None


def _retains(endpoint: Endpoint, _facts: RequestFacts, preferences: Preferences) -> bool:
    return preferences.zdr and not endpoint.data_policy.zdr


def _trains(endpoint: Endpoint, _facts: RequestFacts, preferences: Preferences) -> bool:
    return preferences.data_collection == "deny" and endpoint.data_policy.training


def _other_quantization(endpoint: Endpoint, _facts: RequestFacts, preferences: Preferences) -> bool:
    if preferences.quantizations is None:
        return False
    own = endpoint.quantization or "unknown"
    return not any(own in QUANTIZATION_FAMILIES.get(wanted, (wanted,)) for wanted in preferences.quantizations)


def _over(price: int | None, ceiling: int | None) -> bool:
    return ceiling is not None and (price or 0) > ceiling


def _too_dear(endpoint: Endpoint, _facts: RequestFacts, preferences: Preferences) -> bool:
    ceiling: MaxPrice | None = preferences.max_price
    if ceiling is None:
        return False
    price = endpoint.pricing
    pairs = (
        (price.prompt, ceiling.prompt),
        (price.completion, ceiling.completion),
        (price.request, ceiling.request),
        (price.image, ceiling.image),
    )
    return any(_over(one, limit) for one, limit in pairs)


def _lacks_parameters(endpoint: Endpoint, facts: RequestFacts, preferences: Preferences) -> bool:
    supported = endpoint.supported_parameters
    return preferences.require_parameters and supported is not None and not facts.parameters <= supported


def _too_short(endpoint: Endpoint, facts: RequestFacts, _preferences: Preferences) -> bool:
    if endpoint.context_length is not None and facts.prompt_tokens > endpoint.context_length * CONTEXT_MARGIN:
        return True
    limit = endpoint.max_completion_tokens
    return limit is not None and facts.max_tokens is not None and facts.max_tokens > limit


RULES: tuple[tuple[str, Rule], ...] = (
    ("allowed_providers", _not_listed),
    ("allowed_providers", _ignored),
    ("data_policy:zdr", _retains),
    ("data_policy:training", _trains),
    ("quantization", _other_quantization),
    ("max_price", _too_dear),
    ("require_parameters", _lacks_parameters),
    ("context_length", _too_short),
)


def admit(endpoints: Sequence[Endpoint], facts: RequestFacts, preferences: Preferences) -> tuple[list[Endpoint], list[Exclusion]]:
    """The endpoints that may serve the request, and those that may not with the first rule that each breaks."""
    kept: list[Endpoint] = []
    excluded: list[Exclusion] = []
    for endpoint in endpoints:
        reason = _broken(endpoint, facts, preferences)
        if reason is None:
            kept.append(endpoint)
        else:
            excluded.append(Exclusion(endpoint, reason))
    return kept, excluded


def _broken(endpoint: Endpoint, facts: RequestFacts, preferences: Preferences) -> str | None:
    """The first rule that the endpoint breaks. A caller who prefers nothing can only ask for too many tokens."""
    if preferences is NO_PREFERENCES:
        return "context_length" if _too_short(endpoint, facts, preferences) else None
    return next((name for name, breaks in RULES if breaks(endpoint, facts, preferences)), None)


def prefer_capable(endpoints: list[Endpoint], facts: RequestFacts) -> list[Endpoint]:
    """Where some endpoints support a soft parameter that the request uses (tools, structured output), only those; never an empty list
    (contract 3.2)."""
    for name in SOFT_PARAMETERS if facts.parameters else ():
        if name in facts.parameters:
            capable = [one for one in endpoints if one.supported_parameters is None or name in one.supported_parameters]
            endpoints = capable or endpoints
    return endpoints
