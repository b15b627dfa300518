"""Which endpoints may serve a request: a table of rules, each with its word of `error.availability.excluded_by` (contract 2.12).

A rule looks at all endpoints at once, and only where the caller wants it. `allowed_providers` stands for every choice of endpoints that
the caller made and that has no word of its own.
"""

from collections.abc import Callable, Sequence
from sys import maxsize

from msgspec import Struct

from trunkline.dialects.parameters import WORDLESS
from trunkline.protocol.catalogue import Endpoint, Pricing
from trunkline.protocol.routing import NO_PREFERENCES, Exclusion, MaxPrice, Preferences, RequestFacts
from trunkline.routing.slugs import named

QUANTIZATION_FAMILIES = {"fp4": ("fp4", "mxfp4", "nvfp4"), "fp8": ("fp8", "mxfp8")}
SOFT_PARAMETERS = ("tools", "tool_choice", "response_format", "structured_outputs", "verbosity")
UNLIMITED = maxsize
CONTEXT_MARGIN = 1.25
"""A prompt estimate may be wrong by this factor before an endpoint is left out for its context length: the upstream knows better than we
do."""

Endpoints = Sequence[Endpoint]
Wanted = Callable[[RequestFacts, Preferences], object]
Keep = Callable[[Endpoints, RequestFacts, Preferences], list[Endpoint]]


class Rule(Struct, frozen=True):
    """`wanted`: whether the rule applies to a request at all. `keep`: those of the endpoints that pass."""

    reason: str
    name: str
    wanted: Wanted
    keep: Keep


def _not_ignored(endpoints: Endpoints, _facts: RequestFacts, preferences: Preferences) -> list[Endpoint]:
    """Other than in `only`, a base slug covers service tiers too: who ignores a provider does not want it at another price either."""
    ignored = frozenset(preferences.ignore)
    return [one for one in endpoints if one.provider not in ignored and one.tag.lower() not in ignored]


def _right_quantization(endpoints: Endpoints, _facts: RequestFacts, preferences: Preferences) -> list[Endpoint]:
    wanted = {member for one in preferences.quantizations or () for member in QUANTIZATION_FAMILIES.get(one, (one,))}
    return [one for one in endpoints if (one.quantization or "unknown") in wanted]


def _within_price(endpoints: Endpoints, facts: RequestFacts, preferences: Preferences) -> list[Endpoint]:
    ceiling = preferences.max_price or MaxPrice()
    given = (ceiling.prompt, ceiling.completion, ceiling.request, ceiling.image, ceiling.audio)
    prompt, completion, request, image, audio = [UNLIMITED if limit is None else limit for limit in given]
    kept = []
    for one in endpoints:
        price = one.pricing
        if price.prompt <= prompt and price.completion <= completion and price.request <= request:
            fits = (price.image or 0) <= image and (price.audio or 0) <= audio
            if fits and (not price.overrides or _surcharges_within(price, ceiling, facts.prompt_tokens)):
                kept.append(one)
    return kept


def _surcharges_within(pricing: Pricing, ceiling: MaxPrice, prompt_tokens: int) -> bool:
    """Whether the prices that replace the base for such a prompt, at whatever time of day, are within the ceiling too."""
    for override in pricing.overrides:
        if override.min_prompt_tokens is None or prompt_tokens > override.min_prompt_tokens:
            for name, rate in override.rates.items():
                limit = getattr(ceiling, name, None)
                if limit is not None and rate > limit:
                    return False
    return True


def _all_parameters(endpoints: Endpoints, facts: RequestFacts, _preferences: Preferences) -> list[Endpoint]:
    used = facts.parameters
    kept = [one for one in endpoints if one.supported_parameters is None or used <= one.supported_parameters]
    return [one for one in kept if one.dialect not in WORDLESS or WORDLESS[one.dialect].isdisjoint(used)]


def _long_enough(endpoints: Endpoints, facts: RequestFacts, _preferences: Preferences) -> list[Endpoint]:
    tokens = facts.prompt_tokens / CONTEXT_MARGIN
    return [
        one
        for one in endpoints
        if (one.context_length is None or tokens <= one.context_length)
        and (one.max_prompt_tokens is None or tokens <= one.max_prompt_tokens)
    ]


def _writes_enough(endpoints: Endpoints, facts: RequestFacts, _preferences: Preferences) -> list[Endpoint]:
    wanted = facts.max_tokens or 0
    return [one for one in endpoints if one.max_completion_tokens is None or wanted <= one.max_completion_tokens]


_SIZE_RULES: tuple[Rule, ...] = (
    Rule("context_length", "prompt", lambda facts, _: facts.prompt_tokens, _long_enough),
    Rule("context_length", "max_tokens", lambda facts, _: facts.max_tokens, _writes_enough),
)
_PLACE_RULE = Rule(
    "data_region", "region", lambda facts, _: facts.region, lambda all_, facts, _: [e for e in all_ if e.region == facts.region]
)

RULES: tuple[Rule, ...] = (
    Rule("allowed_providers", "only", lambda _, wish: wish.only is not None, lambda all_, _, wish: named(wish.only or (), all_)),
    Rule("allowed_providers", "ignore", lambda _, wish: wish.ignore, _not_ignored),
    Rule(
        "allowed_providers",
        "order",
        lambda _, wish: wish.order and not wish.allow_fallbacks,
        lambda all_, _, wish: named(wish.order, all_),
    ),
    _PLACE_RULE,
    Rule("data_policy:zdr", "zdr", lambda _, wish: wish.zdr, lambda all_, _facts, _wish: [e for e in all_ if e.data_policy.zdr]),
    Rule(
        "data_policy:training",
        "data_collection",
        lambda _, wish: wish.data_collection == "deny",
        lambda all_, _facts, _wish: [e for e in all_ if not e.data_policy.training],
    ),
    Rule(
        "allowed_providers",
        "enforce_distillable_text",
        lambda _, wish: wish.enforce_distillable_text,
        lambda all_, facts, _: [e for e in all_ if e.model in facts.distillable],
    ),
    Rule("quantization", "quantizations", lambda _, wish: wish.quantizations is not None, _right_quantization),
    Rule("max_price", "max_price", lambda _, wish: wish.max_price is not None, _within_price),
    Rule("require_parameters", "require_parameters", lambda facts, wish: wish.require_parameters and facts.parameters, _all_parameters),
    *_SIZE_RULES,
)
_UNASKED = (_PLACE_RULE, *_SIZE_RULES)
"""The rules that can apply to a caller who prefers nothing."""


def admit(endpoints: Endpoints, facts: RequestFacts, preferences: Preferences, excluded: list[Exclusion]) -> Endpoints:
    """The endpoints that may serve the request; those that may not are added to `excluded`, each with the first rule that it breaks."""
    for rule in RULES if preferences is not NO_PREFERENCES else _UNASKED:
        if rule.wanted(facts, preferences):
            kept = rule.keep(endpoints, facts, preferences)
            if len(kept) < len(endpoints):
                leave_out(endpoints, kept, rule.reason, rule.name, excluded)
                endpoints = kept
    return endpoints


def own_capacity(endpoints: Endpoints, all_: Endpoints, excluded: list[Exclusion]) -> Endpoints:
    """Without the instance's own capacity at providers for which a key of the caller's says "always use", which holds also where a filter
    left its endpoints out of `all_` (contract 3.11)."""
    bound = {one.provider for one in all_ if one.byok_only}
    if not bound:
        return endpoints
    kept = [one for one in endpoints if one.byok or one.provider not in bound]
    leave_out(endpoints, kept, "allowed_providers", "byok_only", excluded)
    return kept


def prefer_capable(endpoints: Endpoints, facts: RequestFacts, excluded: list[Exclusion]) -> Endpoints:
    """Where some endpoints support a soft parameter that the request uses (tools, structured output), only those; never an empty list
    (contract 3.2)."""
    for name in SOFT_PARAMETERS:
        if name in facts.parameters:
            capable = [one for one in endpoints if one.supported_parameters is None or name in one.supported_parameters]
            if capable and len(capable) < len(endpoints):
                leave_out(endpoints, capable, "require_parameters", name, excluded)
                endpoints = capable
    return endpoints


def leave_out(endpoints: Endpoints, kept: Endpoints, reason: str, rule: str, excluded: list[Exclusion]) -> None:
    """Add those of `endpoints` that are not in `kept` to `excluded`."""
    staying = {id(one) for one in kept}
    excluded += [Exclusion(one, reason, rule) for one in endpoints if id(one) not in staying]
