"""The embedding model itself: what it finds alike, and that each vector has unit length."""

import math
import os
import threading

import pytest

from trunkline.local import embedder_files, weights

FOLDER = weights.default_directory(os.environ)
pytestmark = [
    pytest.mark.local_model,
    pytest.mark.skipif(
        not embedder_files.installed(FOLDER) and os.environ.get("CI") != "true", reason="the embedding model is not installed"
    ),
]


@pytest.fixture(scope="module")
def embedder():  # type: ignore[no-untyped-def]
    from trunkline.local.embedder import Embedder

    return Embedder(FOLDER, threads=1)


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_meaning_is_near(embedder) -> None:  # type: ignore[no-untyped-def]
    texts = ["The capital of France", "Paris is the capital city of France", "bananas are yellow"]
    vectors = embedder.embed([embedder.tokens(text) for text in texts])
    assert [len(vector) for vector in vectors] == [384, 384, 384]
    assert all(math.isclose(cosine(vector, vector), 1.0, abs_tol=1e-5) for vector in vectors)
    assert cosine(vectors[0], vectors[1]) > 0.8
    assert abs(cosine(vectors[0], vectors[2])) < 0.2


def test_a_vector_does_not_depend_on_its_company(embedder) -> None:  # type: ignore[no-untyped-def]
    ids = embedder.tokens("one text")
    assert embedder.embed([ids])[0] == embedder.embed([embedder.tokens("a much longer other text"), ids])[1]


def test_texts_are_cut(embedder) -> None:  # type: ignore[no-untyped-def]
    assert len(embedder.tokens("word " * 1000)) == 256


def test_threads_take_turns(embedder) -> None:  # type: ignore[no-untyped-def]
    ids, found = embedder.tokens("one text"), []
    threads = [threading.Thread(target=lambda: found.append(embedder.embed([ids])[0])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all(one == found[0] for one in found)
