"""What `POST /rerank` takes, and which field an error names."""

import msgspec
import pytest

from trunkline.dialects.rerank.request import MAX_DOCUMENTS, parse
from trunkline.errors import ApiError


def read(**fields: object):  # type: ignore[no-untyped-def]
    return parse(msgspec.json.encode({"model": "a/m", "query": "q", **fields}))


def test_documents_are_text_or_objects() -> None:
    request = read(documents=["a", {"text": "b"}, {"text": "c", "image": "https://x/y.png"}])
    assert [(one.text, one.image) for one in request.documents] == [("a", None), ("b", None), ("c", "https://x/y.png")]
    assert request.modalities == {"image"}
    assert (request.prompt_bytes, request.outputs) == (3 + 3, {"rerank"})


def test_the_best_are_at_most_all() -> None:
    assert read(documents=["a", "b"]).top_n == 2
    assert read(documents=["a", "b"], top_n=1).top_n == 1
    assert read(documents=["a", "b"], top_n=9).top_n == 2


def test_a_search_covers_a_hundred_documents() -> None:
    assert [read(documents=["a"] * count).expected.searches for count in (1, 100, 101)] == [1, 1, 2]


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, "documents"),
        ({"documents": []}, "documents"),
        ({"documents": ["a"] * (MAX_DOCUMENTS + 1)}, "documents"),
        ({"documents": [{}]}, "documents[0]"),
        ({"documents": ["a", 3]}, "documents"),
        ({"documents": ["a"], "top_n": 0}, "top_n"),
        ({"documents": ["a"], "query": ""}, "query"),
    ],
)
def test_errors_name_the_field(fields: dict[str, object], names: str) -> None:
    with pytest.raises(ApiError) as caught:
        read(**fields)
    assert caught.value.status == 400
    assert names in caught.value.message
