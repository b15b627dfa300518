"""The life of a request to an operation beside chat: calls, fallback, batches, money."""

import pytest
from oneshots import OneShotBench, body, offering
from pipelines import JSON_HEADERS, served

from trunkline.errors import ConnectFailed, ConnectionLost
from trunkline.inference.oneshot import no_body
from trunkline.inference.operations import EMBEDDINGS, RERANK
from trunkline.protocol.catalogue import Pricing
from trunkline.transport.fake import FakeReply


def vectors(*numbers: float, tokens: int | None = 3) -> FakeReply:
    usage = {} if tokens is None else {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}}
    return body({"data": [{"index": index, "embedding": [number]} for index, number in enumerate(numbers)], **usage})


def test_an_answer_is_recorded_and_charged_by_its_tokens() -> None:
    bench = OneShotBench(EMBEDDINGS, [served("one")], vectors(0.5))
    outcome = bench.request(input="hi", user="u")
    assert outcome.status == 200 and outcome.json["data"][0]["embedding"] == [0.5]
    record = bench.record
    assert (record.api_type, record.input_tokens, record.cost, record.usage_source) == ("embeddings", 3, 30, "upstream")
    assert (record.status, record.finish_reason, record.streamed, record.external_user) == (200, "stop", False, "u")
    assert bench.ledgers.settled == [30]
    assert b"content-type: application/json" in bench.client.sent[0].extra_headers


def test_tokens_are_estimated_where_the_upstream_counts_none() -> None:
    bench = OneShotBench(EMBEDDINGS, [served("one")], vectors(0.5, tokens=None))
    bench.request(input="12345678")
    assert (bench.record.input_tokens, bench.record.usage_source, bench.record.cost) == (2, "estimated", 20)


def test_another_endpoint_steps_in() -> None:
    bench = OneShotBench(EMBEDDINGS, [served("one"), served("two")], ConnectFailed("refused"), vectors(0.5))
    outcome = bench.request(input="hi")
    assert outcome.status == 200
    assert [one.status for one in bench.record.attempts] == [0, 200]


@pytest.mark.parametrize(
    "reply",
    [
        body({"error": {"message": "boom"}}, status=500),
        body(b"not json"),
        body(b""),
        body({"data": []}),
        FakeReply(200, {"content-type": "application/json"}, [b'{"data":[{"emb', ConnectionLost("cut", status=200)]),
    ],
)
def test_a_failure_costs_nothing(reply: FakeReply) -> None:
    bench = OneShotBench(EMBEDDINGS, [served("one")], reply, reply)
    outcome = bench.request(input="hi")
    assert outcome.error is not None and outcome.error.status in (502, 503)
    assert (bench.record.cost, bench.record.finish_reason) == (0, "error")
    assert bench.ledgers.settled == [0]


def test_the_upstreams_words_about_a_bad_request_are_told() -> None:
    bench = OneShotBench(EMBEDDINGS, [served("one")], body({"error": {"message": "dimensions too large"}}, status=400))
    outcome = bench.request(input="hi", dimensions=9)
    assert outcome.error is not None and (outcome.error.status, outcome.error.message) == (400, "dimensions too large")


def test_what_an_answer_tells_of_a_rate_limit_is_heard() -> None:
    limits = {"x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "10"}
    bench = OneShotBench(EMBEDDINGS, [served("one")], FakeReply(200, {**JSON_HEADERS, **limits}, vectors(0.5).body))
    assert bench.request(input="hi").status == 200
    (known,) = bench.health.snapshot().endpoints.values()
    assert known.headroom == pytest.approx(0.1)


def test_batches_are_sent_together_and_joined() -> None:
    replies = [vectors(float(number)) for number in range(5)]
    one = offering("one", "embeddings", quirks={"batch": 1})
    bench = OneShotBench(EMBEDDINGS, [one], *replies)
    outcome = bench.request(input=list("abcde"))
    asked = [bench.sent(index)["input"][0] for index in range(5)]
    assert sorted(asked) == list("abcde")
    answered = {text: float(number) for number, text in enumerate(asked)}
    assert [one["embedding"][0] for one in outcome.json["data"]] == [answered[text] for text in "abcde"]
    assert bench.record.input_tokens == 15


def test_a_batch_that_fails_fails_all() -> None:
    one = offering("one", "embeddings", quirks={"batch": 1})
    bad = body({"error": {"message": "bad input"}}, status=400)
    bench = OneShotBench(EMBEDDINGS, [one], vectors(1.0), bad, vectors(1.0))
    outcome = bench.request(input=["a", "b", "c"])
    assert outcome.error is not None and outcome.error.message == "bad input"
    assert bench.record.cost == 0


def test_a_model_of_another_kind_has_another_operation() -> None:
    bench = OneShotBench(EMBEDDINGS, [served("one")], outputs=["text"])
    outcome = bench.request(input="hi")
    assert outcome.error is not None and outcome.error.availability is not None
    assert outcome.error.availability["code"] == "wrong_endpoint"
    assert bench.client.sent == []


def test_endpoints_whose_dialect_has_no_such_operation_are_passed_over() -> None:
    bench = OneShotBench(EMBEDDINGS, [served("one", dialect="messages"), served("two")], vectors(0.5))
    assert bench.request(input="hi").status == 200
    assert bench.record.provider_name == "Two"
    alone = OneShotBench(EMBEDDINGS, [served("one", dialect="messages")])
    outcome = alone.request(input="hi")
    assert outcome.error is not None and outcome.error.status == 404


def test_preferences_hold_as_in_chat() -> None:
    bench = OneShotBench(EMBEDDINGS, [served("one"), served("two")], vectors(0.5))
    bench.request(input="hi", provider={"only": ["two"]})
    assert bench.record.provider_name == "Two"
    closed = OneShotBench(EMBEDDINGS, [served("one")])
    outcome = closed.request(input="hi", provider={"zdr": True})
    assert outcome.error is not None and outcome.error.status == 404


def test_many_inputs_are_not_taken_for_one_long_one() -> None:
    bench = OneShotBench(EMBEDDINGS, [served("one", context_length=8)], vectors(*[1.0] * 50))
    assert bench.request(input=["some words of text"] * 50).status == 200


def test_a_reservation_covers_units() -> None:
    bench = OneShotBench(RERANK, [served("one", pricing=Pricing(request=1000))])
    reserved: list[int] = []
    bench.ledgers.reserve_now = lambda _principal, estimate: reserved.append(estimate)  # type: ignore[assignment, func-returns-value]
    bench.ledgers.refuse = None
    with pytest.raises(AssertionError):
        bench.request(query="q", documents=["a"] * 101)
    assert reserved == [2000]


def test_wrong_credentials_are_refused_before_anything_is_read() -> None:
    bench = OneShotBench(EMBEDDINGS, [served("one")])
    assert bench.ask(authorization=b"Bearer bad").error is not None
    assert bench.ledgers.records == []


def test_an_operation_that_streams_has_no_body() -> None:
    assert no_body() == b""
