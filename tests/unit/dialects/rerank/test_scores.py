"""The ranking, from what upstreams call it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipelines import served

from trunkline.dialects.rerank.request import parse
from trunkline.dialects.rerank.scores import Score, pieces, ranked, read_scores
from trunkline.errors import MalformedResponse
from trunkline.protocol.quirks import OperationQuirks, Quirks


def test_scores_under_both_names() -> None:
    assert read_scores([{"index": 1, "relevance_score": 0.5}, {"index": 0, "score": 1}], offset=10, size=2) == [
        Score(11, 0.5),
        Score(10, 1.0),
    ]


@pytest.mark.parametrize(
    "results",
    [
        None,
        [],
        {},
        [3],
        [{"index": 2, "score": 0.1}],
        [{"index": -1, "score": 0.1}],
        [{"index": True, "score": 0.1}],
        [{"index": 0}],
        [{"index": 0, "score": "high"}],
        [{"index": 0, "score": float("nan")}],
        [{"index": 0, "score": 0.1}, {"index": 0, "score": 0.2}],
    ],
)
def test_what_is_no_ranking(results: Any) -> None:
    with pytest.raises(MalformedResponse):
        read_scores(results, offset=0, size=2)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.integers(1, 20))
def test_the_best_come_first(relevances: list[float], top_n: int) -> None:
    scores = [Score(index, relevance) for index, relevance in enumerate(relevances)]
    best = ranked(scores, top_n)
    assert [one.relevance for one in best] == sorted(relevances, reverse=True)[:top_n]
    assert ranked([Score(1, 0.5), Score(0, 0.5)], 2) == (Score(0, 0.5), Score(1, 0.5))


def test_pieces_follow_the_endpoints_limit() -> None:
    request = parse(b'{"model":"a/m","query":"q","documents":["a","b","c"]}')
    assert pieces(request, served("one"), 2) == [(0, 2), (2, 1)]
    assert pieces(request, served("one", quirks=Quirks(operations={"rerank": OperationQuirks(batch=1)})), 2) == [(0, 1), (1, 1), (2, 1)]
