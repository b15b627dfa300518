"""How the provider slugs of `order`, `only` and `ignore` match endpoints (contract 3.1, "Slug matching"), and what a tag tells."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from trunkline.protocol.catalogue import Endpoint

SERVICE_TIERS = frozenset({"priority", "flex", "fast"})


@lru_cache(maxsize=4096)
def tier_of(tag: str) -> str:
    """The service tier that an endpoint's tag names (`openai/priority`), empty for a plain endpoint. Remembered, since every request asks
    for the same few tags several times."""
    _, inside, last = tag.rpartition("/")
    return last.lower() if inside and last.lower() in SERVICE_TIERS else ""


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
    return [one for one in endpoints if (one.provider in names and not tier_of(one.tag)) or one.tag.lower() in names]


def _place(first: Mapping[str, int], endpoint: Endpoint, missing: int) -> int:
    full, base = first.get(endpoint.tag.lower(), missing), first.get(endpoint.provider, missing)
    return full if full < base or tier_of(endpoint.tag) else base
