"""Service tiers of endpoints: an endpoint whose tag ends in `/priority`, `/fast` or `/flex` sells that tier (contract 3.9).

An endpoint and those of its tiers beside it are one offer at several prices. Which tier a call is served in, the provider says, and that is
what it costs: so each of them knows the prices of the others. What asks for a tier upstream is the endpoint's, not the caller's word: it
says its own tier, and one without is not asked for another by a caller who fell back to it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import structs

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.quirks import Quirks

STANDARD: Final = "default"
TIERS: Final[Mapping[str, str]] = {"priority": "priority", "fast": "priority", "flex": "flex"}
"""What ends a tag, and the tier's name in answers."""
_FIELDS: Final[Mapping[str, str]] = {"chat": "service_tier", "responses": "service_tier", "converse": "serviceTier"}
"""The key that asks for a tier, by dialect. Where there is none, the endpoint's own quirks have to."""


def sold(endpoint: Endpoint) -> str:
    """The tier that an endpoint sells, "" for a plain one."""
    base, _, last = endpoint.tag.rpartition("/")
    return TIERS.get(last.lower(), "") if base else ""


def tiered(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """The endpoints, those of an offer with several tiers with each other's prices, and with what asks for their own."""
    every = list(endpoints)
    offers: dict[tuple[str, str], dict[str, Endpoint]] = defaultdict(dict)
    for endpoint in every:
        offers[_offer(endpoint)].setdefault(sold(endpoint) or STANDARD, endpoint)
    return [_tiered(endpoint, offers[_offer(endpoint)]) for endpoint in every]


def _offer(endpoint: Endpoint) -> tuple[str, str]:
    return endpoint.model, endpoint.tag.rpartition("/")[0] if sold(endpoint) else endpoint.tag


def _tiered(endpoint: Endpoint, offer: Mapping[str, Endpoint]) -> Endpoint:
    tier = sold(endpoint)
    if not tier and len(offer) == 1:
        return endpoint
    prices = {name: other.pricing for name, other in offer.items() if name != (tier or STANDARD)}
    return structs.replace(endpoint, tier_pricing=prices, quirks=_asking(endpoint, tier))


def _asking(endpoint: Endpoint, tier: str) -> Quirks:
    """Quirks that ask for the tier, or for none."""
    quirks, field = endpoint.quirks, _FIELDS.get(endpoint.dialect, "")
    if not field or field in quirks.set:
        return quirks
    if not tier:
        return structs.replace(quirks, drop=(*quirks.drop, field))
    return structs.replace(quirks, set={**quirks.set, field: {"type": tier} if endpoint.dialect == "converse" else tier})
