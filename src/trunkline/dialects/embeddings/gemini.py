"""Gemini's `:batchEmbedContents` (Gemini API reference, "Embeddings")."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Raw

from trunkline.dialects.embeddings.request import EmbeddingsRequest, Input
from trunkline.dialects.embeddings.vectors import as_asked
from trunkline.dialects.media import split_data_url
from trunkline.dialects.oneshot import Result, Sending, Shape, address, batches, counted, document, whole_number
from trunkline.errors import ApiError, MalformedResponse
from trunkline.protocol.catalogue import Endpoint

BATCH = 100
TASKS: Final[Mapping[str, str]] = {
    "search_query": "RETRIEVAL_QUERY",
    "query": "RETRIEVAL_QUERY",
    "search_document": "RETRIEVAL_DOCUMENT",
    "document": "RETRIEVAL_DOCUMENT",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
    "semantic_similarity": "SEMANTIC_SIMILARITY",
}
"""Gemini's words for types of input; other words are passed on in capitals."""


def _send(request: EmbeddingsRequest, endpoint: Endpoint) -> list[Sending]:
    name = f"models/{quote(endpoint.upstream_model, safe='')}"
    url = address(endpoint, "embeddings", f"/{name}:batchEmbedContents")
    kind = request.input_type
    each = {
        "model": f"models/{endpoint.upstream_model}",
        "taskType": None if kind is None else TASKS.get(kind, kind.upper()),
        "outputDimensionality": request.dimensions,
    }
    named = {key: value for key, value in each.items() if value is not None}
    return [
        Sending(url, msgspec.json.encode({"requests": [{**named, "content": {"parts": _parts(one)}} for one in inputs]}))
        for inputs in batches(request.inputs, endpoint, "embeddings", BATCH)
    ]


def _parts(one: Input) -> list[dict[str, Any]]:
    if isinstance(one, list):
        raise ApiError("invalid_request", "input: This model's provider takes text, not token ids")
    if isinstance(one, str):
        return [{"text": one}]
    return [_part(part) for part in one]


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] == "text":
        return {"text": part["text"]}
    audio = part.get("input_audio")
    if isinstance(audio, dict) and isinstance(audio.get("data"), str):
        return {"inlineData": {"mimeType": f"audio/{audio.get('format') or 'wav'}", "data": audio["data"]}}
    url = next((part[key].get("url") for key in ("image_url", "input_video", "video_url") if isinstance(part.get(key), dict)), None)
    split = split_data_url(url) if isinstance(url, str) else None
    if split is None:
        raise ApiError("invalid_request", f"input: This model's provider takes a {part['type']} as a base64 data URL only")
    return {"inlineData": {"mimeType": split[0], "data": split[1]}}


def _read(request: EmbeddingsRequest, endpoint: Endpoint, bodies: Sequence[bytes]) -> Result:
    sizes = [len(inputs) for inputs in batches(request.inputs, endpoint, "embeddings", BATCH)]
    read = [document(body) for body in bodies]
    vectors = [vector for body, size in zip(read, sizes, strict=True) for vector in _vectors(body, size, as_base64=request.base64)]
    return Result(tuple(vectors), usage=counted([_usage(body) for body in read]))


def _vectors(body: dict[str, Any], size: int, *, as_base64: bool) -> list[Raw]:
    embeddings = body.get("embeddings")
    if not isinstance(embeddings, list) or len(embeddings) != size:
        raise MalformedResponse(f"the answer does not hold {size} embeddings", status=200)
    values = [one.get("values") if isinstance(one, dict) else None for one in embeddings]
    return [as_asked(msgspec.json.encode(vector), as_base64=as_base64) for vector in values]


def _usage(body: dict[str, Any]) -> object:
    metadata = body.get("usageMetadata")
    tokens = whole_number(metadata.get("promptTokenCount")) if isinstance(metadata, dict) else None
    return None if tokens is None else {"prompt_tokens": tokens}


SHAPE = Shape(_send, _read)
