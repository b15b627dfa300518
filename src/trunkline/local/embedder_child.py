"""The embedder's main: answers `/v1/embeddings` and `/v1/rerank` on loopback until the gateway goes away (see `child`, whose protocol with
the gateway it shares).

Reranking is the cosine of the query's vector and the document's: vectors have unit length, so it is their product.
"""

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from trunkline.local import launch
from trunkline.local.embedder import Embedder
from trunkline.local.parent import die_with

MAX_BODY = 64 * 1024 * 1024
PAUSE_SECONDS = 120.0
"""How long a kept connection may be silent: longer than the gateway keeps it."""


class EmbeddingsOrder(Struct):
    """Texts, or texts as token ids."""

    input: str | list[str | list[int]]
    dimensions: int | None = None


class RerankOrder(Struct):
    query: str
    documents: list[str]
    top_n: int | None = None


class Refused(Exception):
    """What is asked cannot be done; the text says why."""


def embeddings(embedder: Embedder, body: bytes) -> dict[str, Any]:
    """The answer to `POST /v1/embeddings`, in OpenAI's shape. Raises Refused and msgspec.MsgspecError."""
    order = msgspec.json.decode(body, type=EmbeddingsOrder)
    if order.dimensions is not None:
        raise Refused("dimensions: this model gives vectors of 384 numbers only")
    texts = [order.input] if isinstance(order.input, str) else order.input
    if not all(isinstance(text, str) for text in texts):
        raise Refused("input: this model takes text, not token ids")
    ids = [embedder.tokens(str(text)) for text in texts]
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(embedder.embed(ids))]
    return {"object": "list", "data": data, "usage": _usage(ids)}


def rerank(embedder: Embedder, body: bytes) -> dict[str, Any]:
    """The answer to `POST /v1/rerank`, in Jina's shape: best first. Raises msgspec.MsgspecError."""
    order = msgspec.json.decode(body, type=RerankOrder)
    ids = [embedder.tokens(text) for text in (order.query, *order.documents)]
    query, *documents = embedder.embed(ids)
    scores = [sum(one * other for one, other in zip(query, document, strict=True)) for document in documents]
    ranked = sorted(range(len(scores)), key=lambda index: -scores[index])[: order.top_n]
    return {"results": [{"index": index, "relevance_score": scores[index]} for index in ranked], "usage": _usage(ids)}


def _usage(texts: list[list[int]]) -> dict[str, int]:
    tokens = sum(len(ids) for ids in texts)
    return {"prompt_tokens": tokens, "total_tokens": tokens}


ANSWERS = {"/v1/embeddings": embeddings, "/v1/rerank": rerank}


class Handler(BaseHTTPRequestHandler):
    """One connection. Only the holder of the key is answered."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = PAUSE_SECONDS
    server: "Server"

    def do_GET(self) -> None:
        """The list of models, which the gateway asks for to learn whether this child is up."""
        if self._may():
            self._say(200, {"object": "list", "data": [{"id": self.server.alias, "object": "model"}]})

    def do_POST(self) -> None:
        """One operation."""
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            self._fail(413, "the body is too large, or its length is not told")
            return
        body = self.rfile.read(int(length))
        answer = ANSWERS.get(self.path)
        if not self._may():
            return
        if answer is None:
            self._fail(404, f"there is nothing at {self.path}")
            return
        try:
            self._say(200, answer(self.server.embedder, body))
        except (Refused, msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._fail(400, str(error))

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: standard error is kept for what ends the child."""

    def _may(self) -> bool:
        if self.headers.get("authorization") == f"Bearer {self.server.api_key}":
            return True
        self._fail(401, "invalid key")
        return False

    def _fail(self, status: int, message: str) -> None:
        self._say(status, {"error": {"code": status, "message": message, "type": "invalid_request_error"}})

    def _say(self, status: int, value: object) -> None:
        body = msgspec.json.encode(value)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """The child's server, on a port that the gateway holds for it."""

    allow_reuse_port = True
    daemon_threads = True

    def __init__(self, order: launch.LaunchOrder) -> None:
        self.embedder = Embedder(Path(order.weights).parent, threads=order.threads)
        self.api_key = order.api_key
        self.alias = order.alias
        super().__init__((launch.HOST, order.port), Handler)


def main() -> None:
    """Serves until standard input ends."""
    order = launch.decode(sys.stdin.buffer.readline())
    die_with(order.parent)
    server = Server(order)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
