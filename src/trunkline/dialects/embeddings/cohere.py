"""Cohere's `POST /v2/embed` (API reference, "Embed")."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw

from trunkline.dialects.embeddings.request import EmbeddingsRequest, Input
from trunkline.dialects.embeddings.vectors import as_asked
from trunkline.dialects.oneshot import Result, Sending, Shape, adapted, address, batches, counted, document
from trunkline.errors import ApiError, MalformedResponse
from trunkline.protocol.catalogue import Endpoint

BATCH = 96
DEFAULT_INPUT_TYPE = "search_document"
"""Cohere's newer models refuse a call without one; this is what embeddings are mostly kept for."""
TYPES: Final[Mapping[str, str]] = {"query": "search_query", "document": "search_document"}
"""Cohere's words for types of input that others name so; it has no further ones but `classification`, `clustering` and `image`."""
_TAKEN = ("text", "image_url")


def _send(request: EmbeddingsRequest, endpoint: Endpoint) -> list[Sending]:
    url = address(endpoint, "embeddings", "/embed")
    return [Sending(url, _compose(request, endpoint, inputs)) for inputs in batches(request.inputs, endpoint, "embeddings", BATCH)]


def _compose(request: EmbeddingsRequest, endpoint: Endpoint, inputs: Sequence[Input]) -> bytes:
    plain, kind = all(isinstance(one, str) for one in inputs), request.input_type or DEFAULT_INPUT_TYPE
    body: dict[str, object] = {
        "model": endpoint.upstream_model,
        "input_type": TYPES.get(kind, kind),
        "embedding_types": ["float"],
        "output_dimension": request.dimensions,
        "texts": list(inputs) if plain else None,
        "inputs": None if plain else [{"content": _parts(one)} for one in inputs],
    }
    return msgspec.json.encode(adapted(body, endpoint))


def _parts(one: Input) -> list[dict[str, Any]]:
    if isinstance(one, list):
        raise ApiError("invalid_request", "input: This model's provider takes text, not token ids")
    if isinstance(one, str):
        return [{"type": "text", "text": one}]
    for part in one:
        if part["type"] not in _TAKEN:
            raise ApiError("invalid_request", f"input: This model's provider takes no content of type {part['type']}")
    return list(one)


def _read(request: EmbeddingsRequest, endpoint: Endpoint, bodies: Sequence[bytes]) -> Result:
    sizes = [len(inputs) for inputs in batches(request.inputs, endpoint, "embeddings", BATCH)]
    read = [document(body) for body in bodies]
    vectors = [vector for body, size in zip(read, sizes, strict=True) for vector in _vectors(body, size, as_base64=request.base64)]
    identity = read[0].get("id")
    return Result(tuple(vectors), usage=counted([_usage(body) for body in read]), id=identity if isinstance(identity, str) else None)


def _vectors(body: dict[str, Any], size: int, *, as_base64: bool) -> list[Raw]:
    embeddings = body.get("embeddings")
    floats = embeddings.get("float") if isinstance(embeddings, dict) else None
    if not isinstance(floats, list) or len(floats) != size:
        raise MalformedResponse(f"the answer does not hold {size} embeddings", status=200)
    return [as_asked(msgspec.json.encode(vector), as_base64=as_base64) for vector in floats]


def _usage(body: dict[str, Any]) -> object:
    meta = body.get("meta")
    billed = meta.get("billed_units") if isinstance(meta, dict) else None
    if not isinstance(billed, dict):
        return None
    text, images = billed.get("input_tokens") or 0, billed.get("image_tokens") or 0
    if not isinstance(text, int | float) or not isinstance(images, int | float):
        return None
    return {"prompt_tokens": text + images, "prompt_tokens_details": {"image_tokens": images}}


SHAPE = Shape(_send, _read)
