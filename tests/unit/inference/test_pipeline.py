"""The life of a request over a scripted upstream: what the client gets, what is recorded, what is charged."""

import gc

import msgspec
import pytest
from pipelines import DONE, ROLE, USAGE, Bench, answer, event, served, stream, words

from trunkline.errors import ApiError, ConnectFailed, ConnectionLost, UpstreamError, UpstreamRefused
from trunkline.inference.call import Call, Mint
from trunkline.inference.skins import MESSAGES, RESPONSES
from trunkline.transport.fake import FakeReply


def test_a_whole_answer_is_rewritten_priced_recorded_and_settled() -> None:
    bench = Bench([served("one")], answer())
    outcome = bench.ask()
    assert outcome.status == 200
    assert outcome.json["model"] == "a/m"
    assert outcome.json["provider"] == "One"
    assert outcome.json["id"].startswith("gen-")
    assert outcome.json["choices"][0]["message"]["content"] == "Paris."
    assert outcome.json["usage"]["cost"] == 130e-12
    assert bench.record.cost == 7 * 10 + 3 * 20
    assert bench.record.app_title == "Tests"
    assert (bench.record.input_tokens, bench.record.output_tokens, bench.record.streamed) == (7, 3, False)
    assert bench.ledgers.settled == [130]


def test_a_stream_carries_the_same_answer_usage_and_cost() -> None:
    bench = Bench([served("one")], stream(*words("Par", "is.")))
    outcome = bench.ask(stream=True)
    assert outcome.text == "Paris."
    assert outcome.events[-1]["choices"] == []
    assert outcome.events[-1]["usage"]["cost"] == 130e-12
    assert [one for one in outcome.events if one.get("usage")] == [outcome.events[-1]]
    assert outcome.body.endswith(b"data: [DONE]\n\n")
    assert outcome.ended
    assert bench.record.streamed
    assert bench.record.finish_reason == "stop"
    assert bench.ledgers.settled == [130]


def test_what_one_read_brings_goes_out_in_one_send() -> None:
    bench = Bench([served("one")], stream(b"".join(words("a", "b", "c"))))
    outcome = bench.ask(stream=True)
    assert outcome.text == "abc"
    assert len(outcome.pieces) == 1


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "failure",
    [
        ConnectFailed("refused"),
        FakeReply(500, {}, [b"<html>broken</html>"]),
        FakeReply(429, {"retry-after": "7"}, [b'{"error":{"message":"slow down","code":"rate_limit_exceeded"}}']),
        FakeReply(200, {"content-type": "application/json"}, [b'{"error":{"message":"busy","code":503}}']),
        FakeReply(200, {"content-type": "application/json"}, [b"not json"]),
        FakeReply(200, {"content-type": "text/event-stream"}, [ConnectionLost("reset")]),
    ],
    ids=["refused", "500", "429", "200-with-error", "garbage", "cut"],
)
def test_a_failure_before_the_first_content_is_answered_by_another_endpoint(failure: object, streamed: bool) -> None:
    success = stream(*words("Paris.")) if streamed else answer()
    bench = Bench([served("one"), served("two", pricing=served("x").pricing)], failure, success)
    outcome = bench.ask(stream=streamed, provider={"order": ["one", "two"]})
    assert outcome.status == 200
    assert (outcome.events[0] if streamed else outcome.json)["provider"] == "Two"
    assert [one.error_type is None for one in bench.record.attempts] == [False, True]
    assert bench.ledgers.settled == [130]


def test_lifecycle_frames_of_a_failed_attempt_are_never_seen() -> None:
    bench = Bench([served("one"), served("two")], stream(ROLE, ConnectionLost("reset")), stream(*words("Paris.")))
    outcome = bench.ask(stream=True, provider={"order": ["one", "two"]})
    assert {one["provider"] for one in outcome.events} == {"Two"}


def test_a_cut_after_content_is_told_in_the_stream_and_not_charged() -> None:
    bench = Bench([served("one"), served("two")], stream(ROLE, event({"content": "Par"}), ConnectionLost("reset")))
    outcome = bench.ask(stream=True, provider={"order": ["one", "two"]})
    assert outcome.status == 200
    assert outcome.text == "Par"
    last = outcome.events[-1]
    assert last["choices"][0]["finish_reason"] == "error"
    assert last["error"]["code"] == 502
    assert bench.health.snapshot().failing("one")
    assert bench.ledgers.settled == [0]
    assert bench.record.finish_reason == "error"


def test_an_end_without_a_finish_is_an_error_and_not_a_stop() -> None:
    bench = Bench([served("one")], stream(ROLE, event({"content": "Par"})))
    assert bench.ask(stream=True).events[-1]["choices"][0]["finish_reason"] == "error"


def test_a_missing_done_after_a_real_finish_is_repaired() -> None:
    bench = Bench([served("one")], stream(ROLE, event({"content": "Hi"}), event({}, finish="stop"), USAGE))
    outcome = bench.ask(stream=True)
    assert outcome.body.endswith(b"data: [DONE]\n\n")
    assert outcome.events[-1]["usage"]["completion_tokens"] == 3
    assert bench.record.error_type is None


def test_an_error_inside_the_stream_after_content_is_passed_on_as_one() -> None:
    bench = Bench([served("one")], stream(ROLE, event({"content": "Par"}), b'data: {"error":{"message":"overloaded","code":529}}\n\n'))
    last = bench.ask(stream=True).events[-1]
    assert last["choices"][0]["finish_reason"] == "error"
    assert last["error"]["metadata"]["error_type"] == "provider_overloaded"


def test_all_failures_are_summed_up() -> None:
    limit = FakeReply(429, {"retry-after": "9"}, [b'{"error":{"message":"slow down"}}'])
    other = FakeReply(429, {"retry-after": "4"}, [b'{"error":{"message":"slow down"}}'])
    bench = Bench([served("one"), served("two")], limit, other)
    error = bench.ask(provider={"order": ["one", "two"]}).error
    assert error is not None
    assert error.status == 429
    assert dict(error.headers) == {"retry-after": "4"}
    assert error.availability is not None
    assert error.availability["code"] == "capacity_exhausted"
    assert bench.ledgers.settled == [0]
    assert bench.record.status == 429


def test_a_fault_of_the_caller_is_told_in_the_upstreams_words_after_a_second_opinion() -> None:
    fault = FakeReply(400, {}, [b'{"error":{"message":"temperature is too hot","type":"invalid_request_error"}}'])
    bench = Bench([served("one"), served("two"), served("three")], fault, fault)
    error = bench.ask(provider={"order": ["one", "two", "three"]}).error
    assert error is not None
    assert (error.status, error.message) == (400, "temperature is too hot")


def test_a_fallback_model_answers_and_is_named() -> None:
    first, second = served("one"), served("two", model="a/n")
    bench = Bench([first, second], ConnectFailed("refused"), answer())
    outcome = bench.ask(models=["a/n"])
    assert outcome.json["model"] == "a/n"
    assert bench.record.model == "a/n"


def test_without_fallbacks_the_first_failure_is_told() -> None:
    bench = Bench([served("one"), served("two")], FakeReply(400, {}, [b'{"error":{"message":"no"}}']))
    error = bench.ask(provider={"order": ["one"], "allow_fallbacks": False}).error
    assert error is not None
    assert error.status == 400
    assert len(bench.client.sent) == 1


def test_a_single_endpoint_that_is_busy_is_asked_once_more() -> None:
    bench = Bench([served("one")], ConnectFailed("refused"), answer())
    assert bench.ask().status == 200
    assert len(bench.client.sent) == 2


@pytest.mark.parametrize(("authorization", "status"), [(b"Bearer bad", 401), (b"Bearer manager", 403)], ids=["unknown", "management"])
def test_who_may_not_is_refused_before_anything_is_sent(authorization: bytes, status: int) -> None:
    bench = Bench([served("one")])
    error = bench.ask(authorization=authorization).error
    assert error is not None
    assert error.status == status
    assert not bench.ledgers.records


def test_an_exhausted_limit_is_refused_and_nothing_is_recorded() -> None:
    bench = Bench([served("one")])
    bench.ledgers.refuse = ApiError("payment_required", "Key limit exceeded")
    error = bench.ask().error
    assert error is not None
    assert error.status == 402
    assert not bench.client.sent


def test_a_client_that_leaves_ends_the_upstream_and_is_charged_once() -> None:
    bench = Bench([served("one", on_cancel="stops")], stream(ROLE, event({"content": "Par"}), 3600.0))
    bench.ask(stream=True, leave=0.02)
    response = bench.client.sent[0].response
    assert response is not None
    assert response.closed
    assert bench.record.cancelled
    assert bench.record.usage_source == "estimated"
    assert len(bench.ledgers.settled) == 1
    assert bench.ledgers.settled[0] > 0


def test_a_client_that_leaves_before_the_first_content_ends_the_attempt() -> None:
    bench = Bench([served("one", on_cancel="stops")], stream(3600.0))
    bench.ask(stream=True, leave=0.02)
    assert bench.record.cancelled
    assert bench.ledgers.settled == [0]


def test_an_endpoint_that_bills_on_is_drained_and_metered_with_its_own_usage() -> None:
    bench = Bench(
        [served("one", on_cancel="bills_on")], stream(ROLE, event({"content": "Par"}), 0.05, event({"content": "is"}), 0.01, *words("."))
    )
    outcome = bench.ask(stream=True, leave=0.02)
    assert "is" not in outcome.text
    assert bench.record.cancelled
    assert bench.record.usage_source == "upstream"
    assert bench.ledgers.settled == [130]


def test_a_stream_without_usage_is_estimated() -> None:
    bench = Bench([served("one")], stream(ROLE, event({"content": "four words of text"}), event({}, finish="stop"), DONE))
    outcome = bench.ask(stream=True)
    assert outcome.events[-1]["usage"]["completion_tokens"] > 0
    assert bench.record.usage_source == "estimated"


def test_tool_calls_leave_their_evidence() -> None:
    calls = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    bench = Bench([served("one")], answer(message={"content": None, "tool_calls": calls}, finish_reason="tool_calls"))
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    assert bench.ask(tools=tools).json["choices"][0]["finish_reason"] == "tool_calls"
    assert bench.ledgers.evidence[0].calls == (("f", "{}"),)
    assert bench.record.tool_calls == 1


def test_an_upstream_error_keeps_its_code_and_identity() -> None:
    bench = Bench([served("one")], UpstreamRefused("moderation", "flagged", status=403, code="content_filter"))
    error = bench.ask().error
    assert error is not None
    assert error.metadata is not None
    assert error.metadata["provider_name"] == "One"
    assert error.metadata["provider_code"] == "content_filter"


def test_a_whole_answer_to_a_streamed_request_is_told_as_a_stream() -> None:
    bench = Bench([served("one")], answer())
    outcome = bench.ask(stream=True)
    assert outcome.text == "Paris."
    assert outcome.events[-1]["usage"]["cost"] == 130e-12
    assert outcome.body.endswith(b"data: [DONE]\n\n")
    assert bench.ledgers.settled == [130]


def test_a_whole_answer_without_content_is_none_in_a_stream_either() -> None:
    bench = Bench([served("one"), served("two")], answer("", finish_reason=None), answer())
    outcome = bench.ask(stream=True, provider={"order": ["one", "two"]})
    assert {one["provider"] for one in outcome.events} == {"Two"}


DEBUG = {"stream": True, "debug": {"echo_upstream_body": True}}


def test_a_debugging_caller_sees_each_body_that_was_sent_first() -> None:
    """Contract 2.6: one chunk for each provider that was tried, without choices."""
    bench = Bench([served("one"), served("two")], FakeReply(500, {}, [b"broken"]), stream(*words("Paris.")))
    outcome = bench.ask(**DEBUG, provider={"order": ["one", "two"]}, user="secret sk-or-v1-0123456789abcdef0123")
    first, second, *rest = outcome.events
    assert [(one["provider"], one["choices"]) for one in (first, second)] == [("One", []), ("Two", [])]
    body = second["debug"]["echo_upstream_body"]
    assert (body["model"], body["messages"][0]["role"], body["stream"]) == ("m", "user", True)
    assert "debug" not in body and b"0123456789abcdef" not in outcome.body
    assert outcome.text == "Paris."
    assert not any("debug" in one for one in rest)


@pytest.mark.parametrize("fields", [{"stream": True}, {"stream": True, "debug": {}}, {"debug": {"echo_upstream_body": True}}])
def test_others_see_no_bodies(fields: dict[str, object]) -> None:
    bench = Bench([served("one")], stream(*words("Paris.")) if fields.get("stream") else answer())
    assert b"echo_upstream_body" not in bench.ask(**fields).body


def test_the_debug_event_of_a_response_stands_before_it() -> None:
    """Contract 9.1, [Errors]: `response.debug` with sequence 0."""
    bench = Bench([served("one")], stream(*words("Paris.")))
    body = msgspec.json.encode({"model": "a/m", "input": "hi", **DEBUG})
    outcome = bench.send(Call({b"authorization": b"Bearer good"}, body, Mint(), RESPONSES))
    first, second = [msgspec.json.decode(line[6:]) for line in outcome.body.split(b"\n") if line.startswith(b"data: {")][:2]
    assert [(one["type"], one["sequence_number"]) for one in (first, second)] == [("response.debug", 0), ("response.created", 0)]
    assert first["debug"]["echo_upstream_body"]["model"] == "m"


TOO_LONG = FakeReply(400, {}, [b'{"error":{"message":"too long","code":"context_length_exceeded"}}'])


@pytest.mark.parametrize("stream", [False, True])
def test_a_response_that_would_be_too_long_ends_for_its_length(stream: bool) -> None:
    """Contract 2.12, "Responses skin": it is no error, is recorded as one, and costs nothing."""
    bench = Bench([served("one")], TOO_LONG)
    body = msgspec.json.encode({"model": "a/m", "input": "hi", "stream": stream})
    outcome = bench.send(Call({b"authorization": b"Bearer good"}, body, Mint(), RESPONSES))
    assert (outcome.status, outcome.error) == (200, None)
    last = outcome.body.rpartition(b"event: response.incomplete\ndata: ")[2].partition(b"\n")[0] if stream else outcome.body
    told = msgspec.json.decode(last)["response"] if stream else msgspec.json.decode(last)
    assert (told["status"], told["incomplete_details"], told["output"]) == ("incomplete", {"reason": "max_output_tokens"}, [])
    assert (told["error_type"], told["provider"]) == ("context_length_exceeded", "One")
    assert (bench.record.status, bench.record.error_type, bench.record.cost) == (400, "context_length_exceeded", 0)


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_that_is_too_long_is_told_what_helps(stream: bool) -> None:
    """Contract 4.2: where compression is off, the error suggests it."""
    outcome = Bench([served("one")], TOO_LONG).ask(stream=stream)
    assert outcome.error is not None
    assert outcome.error.message == "too long. The plugin context-compression shortens what is too long"


def test_another_error_stays_one_in_responses() -> None:
    bench = Bench([served("one")], FakeReply(400, {}, [b'{"error":{"message":"no","code":"bad"}}']))
    outcome = bench.send(Call({b"authorization": b"Bearer good"}, b'{"model": "a/m", "input": "hi"}', Mint(), RESPONSES))
    assert outcome.error is not None
    assert outcome.error.status == 400


def test_what_breaks_after_its_first_content_tells_of_the_attempts_before_it() -> None:
    busy = FakeReply(429, {}, [b'{"error":{"message":"busy","code":"slow_down"}}'])
    bench = Bench([served("one"), served("two")], busy, stream(ROLE, event({"content": "Par"}), ConnectFailed("cut")))
    outcome = bench.ask(stream=True, provider={"order": ["one", "two"]})
    error = outcome.events[-1]["error"]
    assert outcome.text == "Par"
    assert error["metadata"]["previous_errors"] == [{"provider": "One", "code": "slow_down", "status": 429}]
    assert error["availability"]["code"] == "temporarily_unavailable"


def test_messages_know_no_debugging() -> None:
    bench = Bench([served("one")], stream(*words("Paris.")))
    body = msgspec.json.encode({"model": "a/m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **DEBUG})
    outcome = bench.send(Call({b"authorization": b"Bearer good"}, body, Mint(), MESSAGES))
    assert outcome.status == 200 and b"debug" not in outcome.body


def test_a_parameter_that_was_refused_is_left_out_of_the_next_request_at_once() -> None:
    refusal = FakeReply(400, {}, [b'{"error":{"message":"Unsupported parameter: \'top_p\'","code":"unsupported_parameter"}}'])
    bench = Bench([served("one")], refusal, answer(), answer(), answer())
    for _ in range(2):
        assert bench.ask(top_p=0.5, temperature=0.1).status == 200
    bodies = [msgspec.json.decode(one.body) for one in bench.client.sent]
    assert [("top_p" in one, one["temperature"]) for one in bodies] == [(True, 0.1), (False, 0.1), (False, 0.1)]
    assert bench.ask(temperature=0.2).status == 200


def test_two_refused_parameters_are_left_out_one_request_after_the_other() -> None:
    def refusal(name: str) -> FakeReply:
        return FakeReply(400, {}, [b'{"error":{"message":"Unsupported parameter: \'%b\'","code":"unsupported_parameter"}}' % name.encode()])

    bench = Bench([served("one")], refusal("top_p"), answer(), refusal("seed"), answer(), answer())
    assert bench.ask(top_p=0.5).status == 200
    assert bench.ask(top_p=0.5, seed=1).status == 200
    assert bench.ask(top_p=0.5, seed=1).status == 200
    bodies = [msgspec.json.decode(one.body) for one in bench.client.sent]
    assert [("top_p" in one, "seed" in one) for one in bodies] == [
        (True, False),
        (False, False),
        (False, True),
        (False, False),
        (False, False),
    ]


def test_other_models_are_advised_when_the_asked_one_has_no_capacity() -> None:
    """Contract 9.1, [Errors]: the sample of capacity_exhausted names a fallback model."""
    limit = FakeReply(429, {"retry-after": "40"}, [b'{"error":{"message":"slow down"}}'])
    error = Bench([served("one"), served("two", model="a/n")], limit).ask().error
    assert error is not None and error.availability is not None
    assert error.availability["fallback_models"] == ["a/n"]


@pytest.mark.parametrize("streamed", [False, True])
def test_failed_attempts_leave_nothing_to_the_garbage_collector(streamed: bool) -> None:
    """Errors in a circle with their tracebacks would live until a collection of the oldest generation, which is rare (pitfall 11)."""
    bench = Bench([served("one"), served("two")], *[FakeReply(500, {}, [b"broken"]) for _ in range(4)])
    gc.collect()
    gc.disable()
    try:
        before = _errors()
        told = bench.ask(stream=streamed).error
        assert told is not None
        told.__traceback__ = None  # the test's own circle
        assert _errors() == before
    finally:
        gc.enable()


def _errors() -> int:
    """How many failures of upstreams are in memory."""
    return sum(isinstance(one, UpstreamError) for one in gc.get_objects())
