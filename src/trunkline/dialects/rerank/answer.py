"""The body of an answer to `POST /rerank` (contract 5.5)."""

import msgspec

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.oneshot import Result, charges
from trunkline.dialects.rerank.request import RerankRequest
from trunkline.protocol.usage import Cost, Usage


def write(identity: Identity, request: RerankRequest, result: Result, usage: Usage, cost: Cost) -> bytes:
    """The JSON body. `result.content` holds the scores, best first; documents are echoed as the caller sent them."""
    account: dict[str, object] = {"total_tokens": usage.input_total + usage.output_total, **charges(usage, cost)}
    if result.units.searches:
        account["search_units"] = result.units.searches
    body = {
        "id": identity.id,
        "model": identity.model,
        "provider": identity.provider,
        "results": [
            {"index": one.index, "relevance_score": one.relevance, "document": request.documents[one.index]} for one in result.content
        ],
        "usage": account,
    }
    return msgspec.json.encode(body)
