"""The embedder's HTTP server with a model of its own making, and the whole child under its supervisor."""

import asyncio
import http.client
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trunkline.local import embedder_files, launch, weights
from trunkline.local.process import EMBEDDER_COMMAND
from trunkline.local.supervisor import LocalModel

pytest.importorskip("onnxruntime")
from trunkline.local import embedder_child
from trunkline.local.embedder_child import Refused, embeddings, rerank

FOLDER = weights.default_directory(os.environ)
VECTORS = {"cat": [1.0, 0.0], "kitten": [0.8, 0.6], "car": [0.0, 1.0]}


class Toy:
    """Stands for the model: the vectors of three words."""

    def tokens(self, text: str) -> list[int]:
        return [list(VECTORS).index(text)]

    def embed(self, texts: list[list[int]]) -> list[list[float]]:
        return [list(VECTORS.values())[ids[0]] for ids in texts]


TOY: Any = Toy()


def test_embeddings_in_openais_shape() -> None:
    said = embeddings(TOY, b'{"model":"x","input":["car","cat"],"encoding_format":"float"}')
    assert [one["embedding"] for one in said["data"]] == [VECTORS["car"], VECTORS["cat"]]
    assert said["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
    assert embeddings(TOY, b'{"input":"cat"}')["data"][0]["index"] == 0


@pytest.mark.parametrize("body", [b'{"input":[[1,2]]}', b'{"input":"cat","dimensions":8}'])
def test_what_it_cannot_do_is_said(body: bytes) -> None:
    with pytest.raises(Refused):
        embeddings(TOY, body)


def test_a_rerank_is_the_cosine() -> None:
    said = rerank(TOY, b'{"query":"cat","documents":["car","kitten","cat"],"top_n":2}')
    assert [(one["index"], one["relevance_score"]) for one in said["results"]] == [(2, 1.0), (1, 0.8)]
    assert said["usage"]["total_tokens"] == 4


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[embedder_child.Server]:
    monkeypatch.setattr(embedder_child, "Embedder", lambda _folder, threads: TOY)
    order = launch.LaunchOrder(weights="/x/y", port=0, api_key="key", parent=os.getpid())
    with embedder_child.Server(order) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server: embedder_child.Server, method: str, path: str, body: bytes = b"", key: str = "key", **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1])
    try:
        connection.request(method, path, body, {"authorization": f"Bearer {key}", **headers})
        response = connection.getresponse()
        return response.status, msgspec.json.decode(response.read())
    finally:
        connection.close()


def test_the_server_answers_the_holder_of_the_key(server: embedder_child.Server) -> None:
    assert ask(server, "GET", "/v1/models")[0] == 200
    assert ask(server, "POST", "/v1/embeddings", b'{"input":"cat"}')[1]["data"][0]["embedding"] == [1.0, 0.0]
    assert ask(server, "GET", "/v1/models", key="other")[0] == 401
    assert ask(server, "POST", "/v1/rerank", b"{}", key="other")[0] == 401


def test_mistakes_are_answers(server: embedder_child.Server) -> None:
    assert ask(server, "POST", "/v1/nothing", b"{}")[0] == 404
    assert ask(server, "POST", "/v1/embeddings", b"{")[0] == 400
    assert ask(server, "POST", "/v1/embeddings", b'{"input":[[1]]}')[0] == 400
    status, said = ask(server, "POST", "/v1/embeddings", b'{"input":"cat","dimensions":8}')
    assert (status, said["error"]["type"]) == (400, "invalid_request_error")
    assert ask(server, "POST", "/v1/embeddings", b"", **{"content-length": str(10**12)})[0] == 413


@pytest.mark.local_model
@pytest.mark.skipif(not embedder_files.installed(FOLDER) and os.environ.get("CI") != "true", reason="the embedding model is not installed")
def test_the_real_child_starts_answers_and_ends(tmp_path: Path) -> None:
    async def scene() -> None:
        model = LocalModel(
            FOLDER / embedder_files.MODEL.name,
            folder=tmp_path / "embedder",
            port=None,
            api_key="key",
            environ=os.environ,
            command=EMBEDDER_COMMAND,
        )
        try:
            await model.ready()
            assert model.status().phase == "ready"
        finally:
            await model.stop()
        assert model.status().pid == 0

    asyncio.run(scene())
