"""How the provider slugs of `order`, `only` and `ignore` match endpoints (contract 3.1, "Slug matching"), and what a tag tells."""

from collections.abc import Iterable, Mapping, Sequence

from trunkline.protocol.catalogue import Endpoint

SERVICE_TIERS = frozenset({"priority", "flex", "fast"})


def tier_of(endpoint: Endpoint) -> str:
    """The service tier that the endpoint's tag names (`openai/priority`), empty for a plain endpoint."""
    tag = endpoint.tag
    if tag == endpoint.provider:
        return ""
    last = tag.rpartition("/")[2].lower()
    return last if last in SERVICE_TIERS else ""


def matches(slug: str, endpoint: Endpoint) -> bool:
    """Whether a caller's slug names this endpoint.

    A base slug covers all regions and variants of a provider (`deepinfra` covers `deepinfra/turbo`), but never a service tier
    (`openai/priority`); a full slug names just that endpoint.
    """
    return bool(named((slug.lower(),), (endpoint,)))


def positions(slugs: Sequence[str], endpoints: Iterable[Endpoint]) -> list[int]:
    """For each endpoint the index of the first slug that names it, or the number of slugs when none does. Slugs are in lower case."""
    missing = len(slugs)
    first = dict(zip(reversed(slugs), range(missing - 1, -1, -1), strict=True))
    find = first.get
    return [find(one.provider, missing) if one.tag == one.provider else _place(first, one, missing) for one in endpoints]


def named(slugs: Iterable[str], endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Those of the endpoints that a slug names. Slugs are in lower case."""
    names = frozenset(slugs)
    return [
        one for one in endpoints if (one.provider in names and (one.tag == one.provider or not tier_of(one))) or one.tag.lower() in names
    ]


def _place(first: Mapping[str, int], endpoint: Endpoint, missing: int) -> int:
    full = first.get(endpoint.tag.lower(), missing)
    return full if tier_of(endpoint) else min(full, first.get(endpoint.provider, missing))
