"""Embeddings as OpenAI, Cohere (v2 `/embed`) and Google (`:batchEmbedContents`, `:embedContent`, Vertex's `:predict`) give them."""

import base64
import hashlib
import struct
from collections.abc import Callable

from trunkline.mock.call import Asked, Call, count_words
from trunkline.mock.content import compose, encode
from trunkline.mock.fields import joined, mapping, mappings, number, sequence, string
from trunkline.mock.operations.inputs import call_of, texts_of
from trunkline.mock.reading.gemini import either
from trunkline.mock.reply import Reply, json_reply
from trunkline.mock.script import Answer, Pace
from trunkline.mock.writing.stream import headers_of


def vector(text: str, dimensions: int) -> list[float]:
    """Numbers of -1 to 1 that only depend on the text, exact in 32 bits."""
    digest = hashlib.shake_128(text.encode("utf-8", "surrogatepass")).digest(dimensions)
    return [byte / 128 - 1 for byte in digest]


def _inputs(asked: Asked) -> tuple[str, ...]:
    """The texts of a request in the form of any of the vendors."""
    body = asked.body
    if "requests" in body or "instances" in body:
        contents = [item.get("content") for item in mappings(body.get("requests", body.get("instances")))]
        return tuple(_content(content) for content in contents)
    if "content" in body:
        return (_content(body["content"]),)
    return texts_of(body.get("input", body.get("texts", body.get("inputs"))))


def _content(content: object) -> str:
    return content if isinstance(content, str) else joined(mapping(content).get("parts"))


def read(asked: Asked) -> Call:
    """The call of a request for embeddings."""
    return call_of(asked, _inputs(asked))


def _dimensions(call: Call, answer: Answer) -> int:
    body = call.asked.body
    first = next(mappings(body.get("requests")), {})
    wanted = number(body.get("dimensions", body.get("output_dimension"))) or number(either(first, "outputDimensionality"))
    return wanted or answer.dimensions


def _packed(values: list[float]) -> str:
    """Floats of 32 bits, little-endian, in base64."""
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def _reply(body: dict[str, object], answer: Answer, serial: int) -> Reply:
    return json_reply(encode({**body, **answer.extra}), headers=headers_of(answer, serial))


def write_openai(call: Call, answer: Answer, _pace: Pace, *, serial: int) -> Reply:
    """`POST /embeddings`, as floats or in base64."""
    packed = call.asked.body.get("encoding_format") == "base64"
    vectors = [vector(text, _dimensions(call, answer)) for text in _inputs(call.asked)]
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(values) if packed else values} for index, values in enumerate(vectors)
    ]
    prompt = compose(call, answer).spent.prompt
    usage = answer.usage or {"prompt_tokens": prompt, "total_tokens": prompt}
    body: dict[str, object] = {"object": "list", "data": data, "model": answer.model or call.model}
    return _reply(body if answer.usage_place == "never" else {**body, "usage": usage}, answer, serial)


_KINDS: dict[str, Callable[[list[float]], object]] = {
    "float": lambda values: values,
    "base64": _packed,
    "int8": lambda values: [round(value * 127) for value in values],
    "uint8": lambda values: [round(value * 127) + 128 for value in values],
}


def write_cohere(call: Call, answer: Answer, _pace: Pace, *, serial: int) -> Reply:
    """`POST /v2/embed`: a list for each of the `embedding_types`."""
    texts = _inputs(call.asked)
    kinds = [string(kind) for kind in sequence(call.asked.body.get("embedding_types"))] or ["float"]
    vectors = [vector(text, _dimensions(call, answer)) for text in texts]
    embeddings = {kind: [_KINDS.get(kind, _KINDS["float"])(values) for values in vectors] for kind in kinds}
    billed = answer.usage or {"input_tokens": compose(call, answer).spent.prompt}
    body: dict[str, object] = {"id": f"mock{serial:08d}", "texts": texts, "embeddings": embeddings, "response_type": "embeddings_by_type"}
    return _reply({**body, "meta": {"api_version": {"version": "2"}, "billed_units": billed}}, answer, serial)


def write_google(call: Call, answer: Answer, _pace: Pace, *, serial: int) -> Reply:
    """`:batchEmbedContents`, `:embedContent` or `:predict`."""
    texts = _inputs(call.asked)
    vectors = [vector(text, _dimensions(call, answer)) for text in texts]
    if call.asked.verb == "predict":
        told = [
            {"embeddings": {"values": values, "statistics": {"token_count": count_words(text), "truncated": False}}}
            for text, values in zip(texts, vectors, strict=True)
        ]
        return _reply({"predictions": told}, answer, serial)
    found = [{"values": values} for values in vectors]
    return _reply({"embeddings": found} if call.asked.verb == "batchEmbedContents" else {"embedding": found[0]}, answer, serial)
