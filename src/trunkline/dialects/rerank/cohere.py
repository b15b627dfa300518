"""Cohere's `POST /v2/rerank` (API reference, "Rerank"): documents are strings, and search units are charged."""

from collections.abc import Sequence
from typing import Any

import msgspec

from trunkline.dialects.oneshot import Result, Sending, Shape, adapted, address, document, whole_number
from trunkline.dialects.rerank.request import RerankRequest
from trunkline.dialects.rerank.scores import pieces, ranked, read_scores
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.usage import Units

BATCH = 1000
"""Documents of one call that Cohere recommends at most."""


def _send(request: RerankRequest, endpoint: Endpoint) -> list[Sending]:
    url = address(endpoint, "rerank", "/rerank")
    texts = [one.text for one in request.documents]
    if None in texts or request.modalities:
        raise ApiError("invalid_request", "documents: This model's provider takes text only")
    return [Sending(url, _compose(request, endpoint, texts[start : start + size])) for start, size in pieces(request, endpoint, BATCH)]


def _compose(request: RerankRequest, endpoint: Endpoint, texts: Sequence[str | None]) -> bytes:
    body = {"model": endpoint.upstream_model, "query": request.query, "documents": texts, "top_n": min(request.top_n, len(texts))}
    return msgspec.json.encode(adapted(body, endpoint))


def _read(request: RerankRequest, endpoint: Endpoint, bodies: Sequence[bytes]) -> Result:
    read = [document(body) for body in bodies]
    spans = pieces(request, endpoint, BATCH)
    scores = [
        score
        for body, (offset, size) in zip(read, spans, strict=True)
        for score in read_scores(body.get("results"), offset=offset, size=size)
    ]
    searches = sum(_searches(body) for body in read) or request.expected.searches
    identity = read[0].get("id")
    return Result(
        ranked(scores, request.top_n),
        usage={"prompt_tokens": 0},
        units=Units(searches=searches),
        id=identity if isinstance(identity, str) else None,
    )


def _searches(body: dict[str, Any]) -> int:
    meta = body.get("meta")
    billed = meta.get("billed_units") if isinstance(meta, dict) else None
    return (whole_number(billed.get("search_units")) or 0) if isinstance(billed, dict) else 0


SHAPE = Shape(_send, _read)
