"""How the provider slugs of `order`, `only` and `ignore` match endpoints (contract 3.1, "Slug matching")."""

from collections.abc import Sequence

from trunkline.protocol.catalogue import Endpoint

SERVICE_TIERS = frozenset({"priority", "flex", "fast"})


def matches(slug: str, endpoint: Endpoint) -> bool:
    """Whether a caller's slug names this endpoint.

    A base slug covers all regions and variants of a provider (`deepinfra` covers `deepinfra/turbo`), but never a service tier
    (`openai/priority`); a full slug names just that endpoint.
    """
    wanted = slug.lower()
    tag = endpoint.tag.lower()
    if wanted == tag:
        return True
    base, _, rest = tag.partition("/")
    return wanted == base and rest not in SERVICE_TIERS


def position(slugs: Sequence[str], endpoint: Endpoint) -> int | None:
    """The index of the first slug that names the endpoint, or None."""
    for index, slug in enumerate(slugs):
        if matches(slug, endpoint):
            return index
    return None
