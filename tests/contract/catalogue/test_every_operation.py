"""Every built-in endpoint of an operation beside chat can be asked: a request with all that its model takes becomes calls of a plausible
address."""

import base64
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.load import load
from trunkline.dialects.forms import read_form
from trunkline.dialects.oneshot import Sending
from trunkline.inference.oneshot import Operation
from trunkline.inference.operations import EMBEDDINGS, IMAGES, OPERATIONS, RERANK, SPEECH, TRANSCRIPTION
from trunkline.protocol.catalogue import Endpoint, Model

PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SOUND = base64.b64encode(b"ID3\x04" + bytes(400)).decode()
OUTPUTS = {"embeddings": EMBEDDINGS, "rerank": RERANK, "speech": SPEECH, "transcription": TRANSCRIPTION, "image": IMAGES}
"""The operation that makes each kind of output."""

GEMINI = r"/v1beta/models/gemini-[a-z0-9.-]+"
VERTEX = r"/v1beta1/projects/my-project/locations/eu/publishers/google/models/gemini-[a-z0-9.-]+"
PATHS = {
    "embeddings": rf"/embeddings|/v2/embed|{GEMINI}:batchEmbedContents",
    "rerank": r"/v1/rerank|/v2/rerank",
    "speech": r"/v1/audio/speech",
    "transcription": r"/v1/audio/transcriptions|/v1/speech-to-text",
    "images": rf"/v1/images/(generations|edits)|/chat/completions|({GEMINI}|{VERTEX}):generateContent",
}
"""How the address of each operation ends."""

VALUES = {"GOOGLE_CLOUD_PROJECT": "my-project", "GOOGLE_CLOUD_LOCATION": "eu"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    here = "http://127.0.0.1:1/v1"
    bare = load(None, {}, local=here, embedder=here)
    names = {name for endpoint in bare.endpoints.values() for name in bare.missing_of(endpoint)}
    return load(None, {name: VALUES.get(name, "made-up") for name in names}, local=here, embedder=here)


def offers(catalogue: Catalogue) -> Iterator[tuple[Operation, Model, Endpoint]]:
    """Each operation with the models and endpoints that are listed for it."""
    for endpoint in catalogue.endpoints.values():
        model = catalogue.models[endpoint.model]
        for output in OUTPUTS.keys() & set(model.output_modalities):
            yield OUTPUTS[output], model, endpoint


def embeddings(model: Model) -> dict[str, object]:
    parts = [{"type": "text", "text": "Hello"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    return {
        "input": [{"content": parts}] if "image" in model.input_modalities else ["Hello", "World"],
        "input_type": "query",
        "dimensions": 64,
    }


def rerank(_model: Model) -> dict[str, object]:
    return {"query": "Which?", "documents": ["one", "two", "three"], "top_n": 2}


def speech(_model: Model) -> dict[str, object]:
    return {"input": "Hello", "response_format": "mp3", "speed": 1.5}


def transcription(_model: Model) -> dict[str, object]:
    return {"input_audio": {"data": SOUND, "format": "mp3"}, "language": "en", "temperature": 0}


def images(model: Model) -> dict[str, object]:
    references = [{"type": "image_url", "image_url": {"url": PICTURE}}] if "image" in model.input_modalities else []
    return {"prompt": "A cat", "aspect_ratio": "16:9", "seed": 7, "input_references": references}


WRITERS = {"embeddings": embeddings, "rerank": rerank, "speech": speech, "transcription": transcription, "images": images}


def sendings(catalogue: Catalogue, operation: Operation, model: Model, endpoint: Endpoint) -> list[Sending]:
    shape = operation.shape(endpoint, catalogue)
    assert shape is not None, f"{endpoint.id} has no form for {operation.name}"
    request: Any = operation.skin.parse(msgspec.json.encode({"model": model.id, **WRITERS[operation.name](model)}))
    assert operation.fits(request, endpoint), endpoint.id
    return list(shape.send(request, endpoint))


def said(sending: Sending) -> dict[str, Any]:
    """The body of a call, a form's fields as text."""
    if sending.content_type.startswith("application/json"):
        return msgspec.json.decode(sending.body, type=dict[str, Any])
    return {field.name: field.value for field in read_form(sending.body)}


def test_each_operation_has_models(catalogue: Catalogue) -> None:
    count = {operation.name: 0 for operation in OPERATIONS.values()}
    for operation, _, _ in offers(catalogue):
        count[operation.name] += 1
    assert count["embeddings"] >= 20
    assert count["rerank"] >= 6
    assert count["speech"] >= 2
    assert count["transcription"] >= 7
    assert count["images"] >= 10


def test_every_endpoint_is_asked_at_a_plausible_address(catalogue: Catalogue) -> None:
    for operation, model, endpoint in offers(catalogue):
        made = sendings(catalogue, operation, model, endpoint)
        assert made, endpoint.id
        for sending in made:
            ending = PATHS[operation.name]
            assert re.fullmatch(rf"(https://[a-z0-9.-]+|http://127\.0\.0\.1:1)[a-z0-9/._-]*({ending})", sending.url), sending.url
            assert endpoint.upstream_model in sending.url + sending.body.decode("latin-1"), endpoint.id


def test_every_endpoint_is_given_what_the_caller_said(catalogue: Catalogue) -> None:
    spoken = {"embeddings": b"Hello", "rerank": b"three", "speech": b"Hello", "transcription": b"ID3", "images": b"A cat"}
    for operation, model, endpoint in offers(catalogue):
        (sending,) = sendings(catalogue, operation, model, endpoint)
        assert spoken[operation.name] in sending.body, endpoint.id


def test_fields_have_the_names_of_their_vendors(catalogue: Catalogue) -> None:
    def body(operation: Operation, name: str) -> dict[str, Any]:
        endpoint = catalogue.endpoints[name]
        return said(sendings(catalogue, operation, catalogue.models[endpoint.model], endpoint)[0])

    openai = body(EMBEDDINGS, "openai/text-embedding-3-small@openai")
    assert openai == {"model": "text-embedding-3-small", "input": ["Hello", "World"], "dimensions": 64, "encoding_format": "float"}
    voyage = body(EMBEDDINGS, "voyageai/voyage-4@voyageai")
    assert voyage == {"model": "voyage-4", "input": ["Hello", "World"], "output_dimension": 64, "input_type": "query"}
    assert body(RERANK, "voyageai/rerank-2.5@voyageai")["top_k"] == 2
    words = catalogue.endpoints["voyageai/voyage-4@voyageai"].quirks.operations["embeddings"].input_types
    assert {words["search_query"], words["search_document"]} == {"query", "document"}
    assert body(RERANK, "jinaai/jina-reranker-v2-base-multilingual@jina")["top_n"] == 2
    mistral = body(EMBEDDINGS, "mistralai/codestral-embed-2505@mistral")
    assert mistral.keys() == {"model", "input", "output_dimension", "encoding_format"}
    assert body(SPEECH, "openai/tts-1@openai")["voice"] == "alloy"
    assert body(TRANSCRIPTION, "openai/gpt-transcribe@openai")["languages[]"] == b"en"
    assert body(TRANSCRIPTION, "openai/whisper-1@openai")["response_format"] == b"json"
    assert body(TRANSCRIPTION, "openai/whisper-large-v3@groq")["response_format"] == b"verbose_json"
    assert "response_format" not in body(TRANSCRIPTION, "mistralai/voxtral-mini-transcribe-2602@mistral")
    assert body(TRANSCRIPTION, "elevenlabs/scribe-v2@elevenlabs")["language_code"] == b"en"
    drawn = body(IMAGES, "openai/gpt-image-2@openai")
    assert drawn["size"] == b"1536x1024"
    assert "seed" not in drawn


def test_what_is_charged_by_the_unit_says_so(catalogue: Catalogue) -> None:
    """A price of a second beside tokens would be off by orders of magnitude."""
    for operation, _, endpoint in offers(catalogue):
        if operation is TRANSCRIPTION:
            quirks = endpoint.quirks.operations.get("transcription")
            by_second = quirks is not None and quirks.per_unit
            assert by_second == (endpoint.pricing.prompt > 10_000_000), endpoint.id
            assert by_second == (endpoint.pricing.completion == 0), endpoint.id
