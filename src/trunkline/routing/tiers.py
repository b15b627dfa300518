"""Which service tiers a request may use, and what that does to the order (contract 3.9, and `:nitro` and `:floor` of 3.6).

An endpoint whose tag names a tier serves only callers who ask for it, by `service_tier`, by a variant, or by its full slug.
"""

from collections.abc import Mapping, Sequence

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.routing import Preferences, RequestFacts, Sort
from trunkline.routing.slugs import tier_of

NONE: frozenset[str] = frozenset()
FAST = frozenset({"priority", "fast"})
FLEX = frozenset({"flex"})

ASKED: Mapping[str, frozenset[str]] = {"priority": FAST, "fast": FAST, "flex": FLEX}
"""Tiers that each value of `service_tier` admits."""
ADMITTED: Mapping[str, frozenset[str]] = {"nitro": FAST, "floor": FLEX}
"""Tiers that each variant admits."""
UNDECIDED = (None, "auto")
"""Values of `service_tier` that leave the choice to the variant; any other that is not in ASKED means the plain endpoints."""
SORTS: Mapping[str, Sort] = {"priority": "throughput", "fast": "throughput"}
VARIANT_SORTS: Mapping[str, Sort] = {"nitro": "throughput", "floor": "price", "exacto": "exacto"}


def pool(endpoints: Sequence[Endpoint], facts: RequestFacts, preferences: Preferences, variants: Sequence[str]) -> Sequence[Endpoint]:
    """The endpoints that the request's tier allows: plain ones, those of tiers it asked for, and those it named in full. With `flex` only
    the flex endpoints, if there are any."""
    tiers = [tier_of(one.tag) for one in endpoints]
    if not any(tiers):
        return endpoints
    if facts.service_tier == "flex" and "flex" in tiers:
        return [one for one, tier in zip(endpoints, tiers, strict=True) if tier == "flex"]
    asked = _admitted(facts, preferences, variants)
    named = {*preferences.order, *(preferences.only or ())}
    return [one for one, tier in zip(endpoints, tiers, strict=True) if not tier or tier in asked or one.tag.lower() in named]


def _admitted(facts: RequestFacts, preferences: Preferences, variants: Sequence[str]) -> frozenset[str]:
    asked = facts.service_tier
    if asked not in UNDECIDED:
        return ASKED.get(asked or "", NONE)
    if preferences.order:
        return NONE
    return next((ADMITTED[variant] for variant in variants if variant in ADMITTED), NONE)


def sort_of(endpoints: Sequence[Endpoint], facts: RequestFacts, preferences: Preferences, variants: Sequence[str]) -> Sort | None:
    """By what the pool is ordered: what the caller said, what its tier implies, what its variant implies; None = a weighted choice."""
    if preferences.sort is not None:
        return preferences.sort
    tier = facts.service_tier or ""
    if tier in SORTS:
        return SORTS[tier]
    if tier == "flex" and any(tier_of(one.tag) == "flex" for one in endpoints):
        return "price"
    return next((VARIANT_SORTS[variant] for variant in variants if variant in VARIANT_SORTS), None)
