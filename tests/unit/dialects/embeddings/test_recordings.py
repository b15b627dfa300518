"""Recorded embeddings of four upstreams, through the form of each."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from pipelines import served

from trunkline.dialects.embeddings import chat, cohere, gemini
from trunkline.dialects.embeddings.request import parse
from trunkline.dialects.oneshot import Shape

FOLDER = Path(__file__).parents[5] / "shared/cassettes/dev"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not here")

CASES = [
    ("openai/test_embeddings__TestOpenAI.test_documents.0.json", chat.SHAPE, 1536, 2),
    ("voyageai/test_embeddings__TestVoyageAI.test_documents.0.json", chat.SHAPE, 1024, 0),
    ("google/test_embeddings__TestGoogle.test_documents.0.json", gemini.SHAPE, 3072, None),
]


@pytest.mark.parametrize(("name", "shape", "dimensions", "tokens"), CASES, ids=[case[0].partition("/")[0] for case in CASES])
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_two_documents(name: str, shape: Shape, dimensions: int, tokens: int | None, encoding: str) -> None:
    recorded: dict[str, Any] = msgspec.json.decode((FOLDER / name).read_bytes())
    asked = parse(msgspec.json.encode({"model": "a/m", "input": ["hello", "world"], "encoding_format": encoding}))
    result = shape.read(asked, served("one"), [msgspec.json.encode(recorded["response"]["body"])])
    assert len(result.content) == 2
    if encoding == "float":
        assert [len(msgspec.json.decode(bytes(one))) for one in result.content] == [dimensions, dimensions]
    else:
        assert all(bytes(one)[:1] == b'"' for one in result.content)
    if tokens is not None:
        assert result.usage is not None and result.usage["prompt_tokens"] == tokens


def test_coheres_model_at_bedrock_answers_as_cohere_does() -> None:
    recorded = msgspec.json.decode((FOLDER / "bedrock/test_embeddings__TestBedrock.test_cohere_v4_minimal.0.json").read_bytes())
    asked = parse(b'{"model":"a/m","input":"Hello, world!"}')
    (vector,) = cohere.SHAPE.read(asked, served("one"), [msgspec.json.encode(recorded["response"]["body"])]).content
    assert len(msgspec.json.decode(bytes(vector))) == 1536
