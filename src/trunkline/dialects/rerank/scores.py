"""The ranking of documents, read from what upstreams call it."""

import math
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from trunkline.dialects.oneshot import batches
from trunkline.dialects.rerank.request import RerankRequest
from trunkline.errors import MalformedResponse
from trunkline.protocol.catalogue import Endpoint


class Score(Struct, frozen=True):
    """The relevance of the document at `index` of the request, the higher the better."""

    index: int
    relevance: float


def read_scores(results: object, *, offset: int, size: int) -> list[Score]:
    """The scores of one call about `size` documents, the first of which is the request's number `offset`. Raises MalformedResponse."""
    if not isinstance(results, list) or not results:
        raise MalformedResponse("the answer holds no results", status=200)
    scores = [_score(one, size) for one in results]
    if len({one.index for one in scores}) != len(scores):
        raise MalformedResponse("the answer ranks a document twice", status=200)
    return [Score(offset + one.index, one.relevance) for one in scores]


def ranked(scores: Sequence[Score], top_n: int) -> tuple[Score, ...]:
    """The best, best first; equal ones in the order of the request."""
    return tuple(sorted(scores, key=lambda one: (-one.relevance, one.index))[:top_n])


def pieces(request: RerankRequest, endpoint: Endpoint, limit: int) -> list[tuple[int, int]]:
    """The first document and the number of documents of each call: scores do not depend on the other documents."""
    spans = batches(range(len(request.documents)), endpoint, "rerank", limit)
    return [(span[0], len(span)) for span in spans]


def _score(one: Any, size: int) -> Score:
    index = one.get("index") if isinstance(one, dict) else None
    value = one.get("relevance_score", one.get("score")) if isinstance(one, dict) else None
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < size:
        raise MalformedResponse("the answer ranks a document that was not asked about", status=200)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise MalformedResponse("the answer has a result without a score", status=200)
    return Score(index, float(value))
