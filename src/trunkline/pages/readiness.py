"""Whether an endpoint can be called, and if not, what its operator must set."""

from msgspec import Struct

from trunkline.catalogue.catalogue import Catalogue
from trunkline.protocol.catalogue import Endpoint


class Readiness(Struct, frozen=True):
    """`state` is `ready`, `missing` (then `missing` names the variables to set) or `off` (no variable would help)."""

    state: str
    missing: tuple[str, ...] = ()


def readiness_of(catalogue: Catalogue, endpoint: Endpoint) -> Readiness:
    """Whether this endpoint of the catalogue can be called now."""
    if catalogue.is_available(endpoint):
        return Readiness("ready")
    missing = catalogue.missing_of(endpoint)
    return Readiness("missing", missing) if missing else Readiness("off")


def alternatives(catalogue: Catalogue, model_id: str) -> tuple[tuple[str, ...], ...]:
    """Sets of variables, each of which would make the model callable; empty when it is, or when none would."""
    return catalogue.alternatives(model_id)
