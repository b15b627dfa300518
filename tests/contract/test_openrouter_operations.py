"""The operations beside chat, with OpenRouter's own SDK, against a running gateway and upstreams of this file's."""

import base64
import io
import os
import threading
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import openai
import pytest
from gateway import API_KEY, Gateway
from openrouter import OpenRouter, errors

from trunkline.local import embedder_files, weights

pytestmark = pytest.mark.filterwarnings("ignore:.*DEPRECATED.*:DeprecationWarning")  # of fields that the SDK itself reads
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n pixels").decode()
SOUND = b"ID3" + bytes(range(256)) * 200
FOLDER = weights.default_directory(os.environ)
MINILM = "sentence-transformers/all-minilm-l6-v2"

CONFIG = """
[[providers]]
slug = "acme"
name = "Acme"
base_url = "http://127.0.0.1:{port}/v1"
quirks = {{ operations = {{ images = {{ stream = true }}, speech = {{ voice = "aria" }}, transcription = {{ per_unit = true }} }} }}
"""
MODEL = """
[[models]]
id = "acme/{kind}"
name = "{kind}"
input_modalities = ["text", "image", "audio"]
output_modalities = ["{kind}"]

[[endpoints]]
model = "acme/{kind}"
provider = "acme"
upstream_model = "m"
pricing = {{ prompt = "0.000001", completion = "0", request = "{request}", image_output = "0.00001" }}
"""
PRICES = {"embeddings": "0", "rerank": "0.002", "speech": "0", "transcription": "0", "image": "0"}


class Upstream(BaseHTTPRequestHandler):
    """All five operations as OpenAI, Cohere and Jina answer them."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path.endswith("/audio/speech"):
            self._say(SOUND, "audio/mpeg")
        elif self.path.endswith("/audio/transcriptions"):
            assert b'filename="audio.wav"' in body
            self._say({"text": "hello", "usage": {"type": "duration", "seconds": 2}})
        elif self.path.endswith("/rerank"):
            documents = msgspec.json.decode(body)["documents"]
            self._say({"results": [{"index": len(documents) - 1, "relevance_score": 0.9}], "usage": {"search_units": 1}})
        elif self.path.endswith("/images/generations"):
            self._draw(msgspec.json.decode(body))
        else:
            inputs = msgspec.json.decode(body)["input"]
            data = [{"index": index, "embedding": [float(len(text)), 1.0]} for index, text in enumerate(inputs)]
            self._say({"data": data, "usage": {"prompt_tokens": 4, "total_tokens": 4}})

    def _draw(self, asked: dict[str, Any]) -> None:
        usage = {"input_tokens": 5, "output_tokens": 100, "total_tokens": 105}
        if not asked.get("stream"):
            self._say({"created": 1, "data": [{"b64_json": PNG}], "usage": usage})
            return
        events = [{"type": "image_generation.partial_image", "b64_json": PNG, "partial_image_index": 0}]
        events.append({"type": "image_generation.completed", "b64_json": PNG, "usage": usage})
        self._say(b"".join(b"data: " + msgspec.json.encode(one) + b"\n\n" for one in events), "text/event-stream")

    def _say(self, value: Any, kind: str = "application/json") -> None:
        body = value if isinstance(value, bytes) else msgspec.json.encode(value)
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Upstream) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        models = "".join(MODEL.format(kind=kind, request=price) for kind, price in PRICES.items())
        with Gateway(tmp_path_factory.mktemp("operations"), CONFIG.format(port=server.server_address[1]) + models) as gateway:
            yield gateway
        server.shutdown()
        thread.join()


@pytest.fixture
def client(running: Gateway) -> Iterator[OpenRouter]:
    with OpenRouter(api_key=API_KEY, server_url=f"{running.url}/api/v1", retry_config=None, timeout_ms=60_000) as client:
        yield client


@pytest.fixture
def openai_client(running: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=API_KEY, base_url=f"{running.url}/api/v1", max_retries=0) as client:
        yield client


def test_embeddings(client: OpenRouter) -> None:
    answer: Any = client.embeddings.generate(model="acme/embeddings", input=["a", "bb"], retries=None)
    assert [one.embedding for one in answer.data] == [[1.0, 1.0], [2.0, 1.0]]
    assert (answer.usage.prompt_tokens, answer.usage.cost) == (4, 0.000004)


def test_embeddings_with_openais_sdk_which_asks_for_base64(openai_client: openai.OpenAI) -> None:
    answer = openai_client.embeddings.create(model="acme/embeddings", input="abc")
    assert answer.data[0].embedding == [3.0, 1.0]


def test_a_rerank(client: OpenRouter) -> None:
    answer: Any = client.rerank.rerank(model="acme/rerank", query="q", documents=["a", "b"], retries=None)
    assert [(one.index, one.document.text) for one in answer.results] == [(1, "b")]
    assert (answer.usage.search_units, answer.usage.cost, answer.provider) == (1, 0.002, "Acme")


def test_speech(client: OpenRouter) -> None:
    answer: Any = client.tts.create_speech(model="acme/speech", input="Hello", response_format="mp3", retries=None)
    assert answer.read() == SOUND
    assert answer.headers["content-type"] == "audio/mpeg"
    found = client.generations.get_generation(id=answer.headers["x-generation-id"]).data
    assert (found.api_type, found.model, found.total_cost) == ("tts", "acme/speech", 0.000005)


def test_a_transcription_as_json_and_as_a_form(client: OpenRouter, openai_client: openai.OpenAI) -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(16_000))
    audio = {"data": base64.b64encode(file.getvalue()).decode(), "format": "wav"}
    answer: Any = client.stt.create_transcription(model="acme/transcription", input_audio=audio, retries=None)  # type: ignore[arg-type]
    assert (answer.text, answer.usage.seconds, answer.usage.cost) == ("hello", 2.0, 0.000002)
    form = openai_client.audio.transcriptions.create(model="acme/transcription", file=("talk.wav", file.getvalue()))
    assert form.text == "hello"
    with pytest.raises(openai.BadRequestError, match="response_format"):
        openai_client.audio.transcriptions.create(model="acme/transcription", file=("talk.wav", b"x"), response_format="srt")


def test_images_whole_and_streamed(client: OpenRouter) -> None:
    answer: Any = client.images.generate(model="acme/image", prompt="a cat", retries=None)
    assert (answer.data[0].b64_json, answer.data[0].media_type) == (PNG, "image/png")
    assert answer.usage.cost == pytest.approx(0.001005)
    stream: Any = client.images.generate(model="acme/image", prompt="a cat", stream=True, retries=None)
    kinds = [event.data.type if hasattr(event, "data") else event.type for event in stream]
    assert kinds == ["image_generation.partial_image", "image_generation.completed"]


def test_the_models_that_make_images(client: OpenRouter) -> None:
    listed: Any = client.images.list_models()
    assert "acme/image" in [one.id for one in listed.data]
    found: Any = client.images.list_model_endpoints(author="acme", slug="image")
    assert (found.id, found.endpoints[0].provider_name, found.endpoints[0].supports_streaming) == ("acme/image", "Acme", True)


def test_models_are_listed_by_what_they_make(client: OpenRouter) -> None:
    listed: Any = client.embeddings.list_models()
    assert {"acme/embeddings", MINILM} <= {one.id for one in listed.result.data}


def test_a_model_of_another_kind_is_refused(client: OpenRouter) -> None:
    with pytest.raises((errors.NotFoundResponseError, errors.BadRequestResponseError), match="acme/rerank"):
        client.embeddings.generate(model="acme/rerank", input="a", retries=None)


@pytest.mark.local_model
@pytest.mark.skipif(not embedder_files.installed(FOLDER) and os.environ.get("CI") != "true", reason="the embedding model is not installed")
def test_the_local_model_embeds_and_reranks(tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        Gateway(tmp_path_factory.mktemp("local"), environ={"TRUNKLINE_LOCAL": "on"}) as gateway,
        OpenRouter(api_key=API_KEY, server_url=f"{gateway.url}/api/v1", retry_config=None, timeout_ms=120_000) as client,
    ):
        texts = ["The capital of France", "Paris is the capital city of France", "bananas are yellow"]
        answer: Any = client.embeddings.generate(model=MINILM, input=texts, retries=None)
        one, near, far = (vector.embedding for vector in answer.data)
        assert sum(a * b for a, b in zip(one, near, strict=True)) > 0.8
        assert abs(sum(a * b for a, b in zip(one, far, strict=True))) < 0.2
        ranked: Any = client.rerank.rerank(model=MINILM, query=texts[0], documents=[texts[2], texts[1]], top_n=1, retries=None)
        assert [(one.index, one.document.text) for one in ranked.results] == [(1, texts[1])]
