"""Jina's `POST /rerank`, which Voyage, Together, vLLM and llama.cpp follow (their API references): tokens are charged.

What differs between them is read from any of them; `rename` of an endpoint writes `top_n` as `top_k` for Voyage.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from trunkline.dialects import loose
from trunkline.dialects.oneshot import Result, Sending, Shape, adapted, address, counted, document, whole_number
from trunkline.dialects.rerank.request import Document, RerankRequest
from trunkline.dialects.rerank.scores import pieces, ranked, read_scores
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.usage import Units

BATCH = 1000
"""Documents of one call at Voyage, the strictest of them."""


def _send(request: RerankRequest, endpoint: Endpoint) -> list[Sending]:
    url = address(endpoint, "rerank", "/rerank")
    documents = [_plain(one) for one in request.documents]
    return [Sending(url, _compose(request, endpoint, documents[start : start + size])) for start, size in pieces(request, endpoint, BATCH)]


def _plain(one: Document) -> str | Document:
    return one.text if one.image is None and one.text is not None else one


def _compose(request: RerankRequest, endpoint: Endpoint, documents: Sequence[str | Document]) -> bytes:
    body = {"model": endpoint.upstream_model, "query": request.query, "documents": documents, "top_n": min(request.top_n, len(documents))}
    return msgspec.json.encode(adapted(body, endpoint))


def _read(request: RerankRequest, endpoint: Endpoint, bodies: Sequence[bytes]) -> Result:
    read = [_document(body) for body in bodies]
    spans = pieces(request, endpoint, BATCH)
    scores = [
        score
        for body, (offset, size) in zip(read, spans, strict=True)
        for score in read_scores(body.get("results", body.get("data")), offset=offset, size=size)
    ]
    identity = read[0].get("id")
    usage = counted([_usage(body.get("usage")) for body in read])
    searches = sum(_searches(body.get("usage")) for body in read)
    if usage is None and searches:
        usage = {}  # who charges by searches counts no tokens, and none are to be estimated
    return Result(
        ranked(scores, request.top_n), usage=usage, units=Units(searches=searches), id=identity if isinstance(identity, str) else None
    )


def _document(body: bytes) -> dict[str, Any]:
    """The answer as an object; the servers of Hugging Face give the bare list."""
    try:
        value = loose.decode(body)
    except ValueError:
        value = None
    return {"results": value} if isinstance(value, list) else document(body)


def _usage(usage: object) -> object:
    if not isinstance(usage, dict):
        return None
    tokens = whole_number(usage.get("total_tokens", usage.get("prompt_tokens")))
    return None if tokens is None else {"prompt_tokens": tokens, "cost": usage.get("cost")}


def _searches(usage: object) -> int:
    """Search units, which an upstream that resells Cohere's models counts."""
    return (whole_number(usage.get("search_units")) or 0) if isinstance(usage, dict) else 0


SHAPE = Shape(_send, _read)
