"""Which effort an endpoint is asked for where its model has not the one that was wanted: the nearest (contract 2.7, "on all slugs").

It is decided when the catalogue is loaded, as words of the endpoint's quirk `effort_map`, which every dialect reads anyway.
"""

from msgspec import structs

from trunkline.dialects.efforts import RANKS, nearest
from trunkline.protocol.catalogue import Endpoint, Reasoning


def fitted(endpoint: Endpoint, reasoning: Reasoning | None) -> Endpoint:
    """The endpoint with a word for each effort but `none` that its model lacks; what its quirk says already stays. The same object when
    nothing lacks, when nobody knows what the model has, and where the upstream finds the nearest itself."""
    supported = None if reasoning is None else reasoning.supported_efforts
    if not supported or endpoint.quirks.native_reasoning:
        return endpoint
    said = endpoint.quirks.effort_map
    lacking = [effort for effort in RANKS if effort not in supported and effort not in said and effort != "none"]
    words = {effort: said.get(near, near) for effort in lacking if (near := nearest(effort, supported)) != effort}
    return structs.replace(endpoint, quirks=structs.replace(endpoint.quirks, effort_map=said | words)) if words else endpoint
