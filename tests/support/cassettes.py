"""The recorded traffic of real providers, sorted: which recording is an answer of which dialect, and why each other one is not replayed.

The recordings are not part of the repository; tests that need them are skipped where the folder is missing (`NEEDED`).
"""

import base64
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

ROOT = Path(__file__).parents[2].parent / "shared" / "cassettes"
NEEDED = pytest.mark.skipif(not ROOT.exists(), reason="the recordings are not part of the repository")

DIALECTS = (
    ("chat", r"/chat/completions$"),
    ("responses", r"/responses$"),
    ("messages", r"/v1/messages$"),
    ("gemini", r":(streamG|g)enerateContent$"),
    ("converse", r"/converse(-stream)?$"),
)
"""The operation whose answers a dialect's decoder reads: the end of a path of POST."""

CLAUDE_ON_BEDROCK = "anthropic_version"
"""The key of a request to Bedrock's `/invoke` that makes it one of the messages dialect; the other models there make embeddings."""

SKIPPED = (
    ("websocket", "", r"", "a realtime session over a WebSocket: no HTTP interaction, and not one of the six dialects"),
    ("grpc", "", r"", "xAI's gRPC protocol: no HTTP interaction; xAI is reached by its chat API"),
    ("http", "POST", r"/realtime/(calls|client_secrets)$", "sets up a realtime session: no answer of a model"),
    ("http", "POST", r"/embeddings$|:(batchEmbedContents|embedContent|predict)$", "embeddings: vectors, no generated text"),
    ("http", "POST", r"^/model/[^/]+/invoke$", "embeddings of Bedrock (requests of Claude are replayed): vectors, no generated text"),
    ("http", "POST", r"/count_tokens$|/count-tokens$|:countTokens$|/input_tokens$", "counts tokens: a number, no answer of a model"),
    ("http", "POST", r"/responses/compact$", "another operation of OpenAI's, which the gateway does not offer"),
    ("http", "GET", r"/responses/resp_\w+$", "reads a response that OpenAI has stored: the gateway is stateless (contract 5.1)"),
    ("http", "GET", r"/models$|/available-models$", "a list of models"),
    ("http", "POST DELETE", r"/v1/files(/[\w-]+)?$", "files"),
    ("http", "POST DELETE", r"/v1/vector_stores(/\w+)?(/files)?$", "vector stores"),
    ("http", "POST DELETE", r"/v1/conversations(/\w+)?$", "conversations that OpenAI stores"),
)
"""What is not replayed: kind, methods, path, and the reason. Reviewed: a recording that is neither here nor replayed fails a test."""


FAILURES = {
    "dev/other/test_openai__test_text_response.0.json": "the upstream answers in plain text",
    "dev/groq/test_groq__test_tool_use_failed_error_streaming.0.json": "the stream ends with an error",
    **dict.fromkeys(
        (
            "dev/openai/test_openai_responses__test_background_mode_streaming_without_starting_after_vcr.0.json",
            "dev/openai/test_openai_responses__test_background_mode_with_tool_vcr.0.json",
            "dev/openai/test_openai_responses__test_background_mode_with_tool_vcr.2.json",
        ),
        "a background response, which is only queued",
    ),
    **dict.fromkeys(
        (
            f"dev/google-vertex/test_multimodal_tool_returns__test_multimodal_tool_return_matrix_{name}-google_vertex_.0.json"
            for name in (
                *("direct-binary-audio", "direct-uploaded_file-video", "direct-url_force_download-audio"),
                *("tool_return_content-uploaded_file-video", "tool_return_content-url-image"),
            )
        ),
        "the model called a tool that was not offered: UNEXPECTED_TOOL_CALL and no content",
    ),
}
"""Recordings of status 200 that are no answers. They must fail, before anything goes to the client."""

EDITED = {
    "dev/openai/test_openai_responses__test_openai_responses_model_mcp_list_tools_stream_backfills_missing_results.0.json": (
        "the recorder's authors took events out, so that what passes through lacks them too"
    ),
}
"""Streams that are no legal streams of their own dialect, and so are left out where they only pass through."""


class Recording(Struct, frozen=True, kw_only=True):
    """One recorded interaction. `dialect` is "" where it is not replayed, `reason` says why; `model` is the one that was asked."""

    file: str
    provider: str
    kind: str
    method: str
    path: str
    query: str
    status: int
    request: Any
    body: Any
    dialect: str
    reasons: tuple[str, ...]
    model: str

    @property
    def streamed(self) -> bool:
        """Whether the answer came as a stream of events."""
        return isinstance(self.body, str) or (isinstance(self.body, dict) and "base64" in self.body)

    @property
    def data(self) -> bytes:
        """The bytes of the answer, as they came over the wire (a JSON body may differ in spaces)."""
        if isinstance(self.body, str):
            return self.body.encode()
        if isinstance(self.body, dict) and "base64" in self.body:
            return base64.b64decode(self.body["base64"])
        return msgspec.json.encode(self.body)


@cache
def recordings() -> tuple[Recording, ...]:
    """All recordings of the index, in its order."""
    return tuple(_read())


def answers(dialect: str = "", *, streamed: bool | None = None) -> list[Recording]:
    """The answers (status 200) that are replayed, of one dialect or of all."""
    return [
        one
        for one in recordings()
        if one.dialect and one.status == 200 and dialect in ("", one.dialect) and streamed in (None, one.streamed)
    ]


def refusals() -> list[Recording]:
    """The refusals (any other status) of operations that are replayed."""
    return [one for one in recordings() if one.dialect and one.status != 200]


def _read() -> Iterator[Recording]:
    for row in msgspec.json.decode((ROOT / "index.json").read_bytes()):
        document = msgspec.json.decode((ROOT / row["file"]).read_bytes())
        request, response = document.get("request") or {}, document.get("response") or {}
        method, url = (request.get("method") or "").upper(), request.get("url") or ""
        path, _, query = re.sub(r"^https?://[^/]+|#\w+$", "", url).partition("?")
        sent = request.get("body")
        dialect = _dialect(method, path, sent) if row["kind"] == "http" else ""
        yield Recording(
            file=row["file"],
            provider=row["provider"],
            kind=row["kind"],
            method=method,
            path=path,
            query=query,
            status=response.get("status") or 0,
            request=sent,
            body=response.get("body"),
            dialect=dialect,
            reasons=() if dialect else tuple(_reasons(row["kind"], method, path)),
            model=row.get("model") or "",
        )


def _dialect(method: str, path: str, sent: object) -> str:
    if method != "POST":
        return ""
    if path.endswith("/invoke") and isinstance(sent, dict) and CLAUDE_ON_BEDROCK in sent:
        return "messages"
    return next((dialect for dialect, pattern in DIALECTS if re.search(pattern, path)), "")


def _reasons(kind: str, method: str, path: str) -> Iterator[str]:
    for row_kind, methods, pattern, reason in SKIPPED:
        if kind == row_kind and (not methods or method in methods.split()) and re.search(pattern, path):
            yield reason
