"""OpenAI's `POST /embeddings`, which almost all upstreams speak. Vectors pass through byte for byte."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from trunkline.dialects.embeddings.request import EmbeddingsRequest, Input
from trunkline.dialects.embeddings.vectors import as_asked
from trunkline.dialects.oneshot import Result, Sending, Shape, adapted, address, batches, counted, document, quirks_of
from trunkline.errors import MalformedResponse
from trunkline.protocol.catalogue import Endpoint

BATCH = 2048
"""Inputs of one call at OpenAI (API reference, "Create embeddings")."""


class Vector(Struct):
    embedding: Raw
    index: int | None = None


class Body(Struct):
    data: list[Vector]
    usage: dict[str, Any] | None = None
    id: str | None = None


_READ = msgspec.json.Decoder(Body)


def _send(request: EmbeddingsRequest, endpoint: Endpoint) -> list[Sending]:
    url = address(endpoint, "embeddings", "/embeddings")
    return [Sending(url, _compose(request, endpoint, inputs)) for inputs in batches(request.inputs, endpoint, "embeddings", BATCH)]


def _compose(request: EmbeddingsRequest, endpoint: Endpoint, inputs: Sequence[Input]) -> bytes:
    body = {
        "model": endpoint.upstream_model,
        "input": [{"content": one} if isinstance(one, tuple) else one for one in inputs],
        "dimensions": request.dimensions,
        "encoding_format": "base64" if request.base64 else "float",
        "input_type": _input_type(request, endpoint),
        "user": request.user,
    }
    return msgspec.json.encode(adapted(body, endpoint))


def _input_type(request: EmbeddingsRequest, endpoint: Endpoint) -> str | None:
    """The upstream's word for the type of input; a type that has none there is passed on as it is."""
    kind = request.input_type
    return None if kind is None else quirks_of(endpoint, "embeddings").input_types.get(kind, kind) or None


def _read(request: EmbeddingsRequest, endpoint: Endpoint, bodies: Sequence[bytes]) -> Result:
    sizes = [len(inputs) for inputs in batches(request.inputs, endpoint, "embeddings", BATCH)]
    read = [_decoded(body, size) for body, size in zip(bodies, sizes, strict=True)]
    vectors = [as_asked(bytes(one), as_base64=request.base64) for body in read for one in _in_order(body)]
    return Result(tuple(vectors), usage=counted([_usage(body.usage) for body in read]), id=read[0].id)


def _usage(usage: dict[str, Any] | None) -> dict[str, Any] | None:
    """Voyage names the total only, which is that of the input."""
    if usage is None or "prompt_tokens" in usage or "total_tokens" not in usage:
        return usage
    return {**usage, "prompt_tokens": usage["total_tokens"]}


def _decoded(body: bytes, size: int) -> Body:
    try:
        read = _READ.decode(body)
    except msgspec.MsgspecError:
        document(body)  # says what it is, when it is a refusal
        raise MalformedResponse("the answer holds no embeddings", status=200) from None
    except (UnicodeDecodeError, RecursionError):
        raise MalformedResponse("the answer is not JSON", status=200) from None
    if len(read.data) != size:
        raise MalformedResponse(f"{len(read.data)} embeddings for {size} inputs", status=200)
    return read


def _in_order(body: Body) -> list[Raw]:
    """The vectors by `index`, or as they came where an upstream numbers none or not all of them."""
    places = {one.index: one.embedding for one in body.data}
    if sorted(place for place in places if place is not None) == list(range(len(body.data))):
        return [places[place] for place in range(len(body.data))]
    return [one.embedding for one in body.data]


SHAPE = Shape(_send, _read)
