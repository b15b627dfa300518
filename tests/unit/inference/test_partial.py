"""Whole answers that failed after words: another endpoint first, then what there is, with the error inside."""

from typing import Any

import msgspec
import pytest
from endpoints import PLAIN, endpoint
from hypothesis import given, settings
from hypothesis import strategies as st
from pipelines import Bench, Outcome, answer, served

from trunkline.dialects.chat.reply import ChatReply
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.translation import Identity
from trunkline.errors import ApiError, ConnectFailed, UpstreamRefused
from trunkline.inference.call import Call, Mint
from trunkline.inference.failures import Failure
from trunkline.inference.partial import Partial, error_of, longest_first, partial_of
from trunkline.inference.skins import CHAT, MESSAGES, RESPONSES, TEXT, Skin
from trunkline.inference.translated import TranslatedReply
from trunkline.inference.ways import OUTBOUND, PASSAGES
from trunkline.protocol.quirks import Quirks
from trunkline.transport.fake import FakeReply

ASK = {"messages": [{"role": "user", "content": "hi"}]}
BODIES: dict[str, tuple[Skin, dict[str, Any]]] = {
    "chat": (CHAT, ASK),
    "completions": (TEXT, {"prompt": "hi"}),
    "messages": (MESSAGES, {**ASK, "max_tokens": 5}),
    "responses": (RESPONSES, {"input": "hi"}),
}
CALLS = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a'}}]


def failed(text: str = "Par", **changes: Any) -> FakeReply:
    return answer(text, finish_reason="error", **changes)


def ask(bench: Bench, dialect: str = "chat", **fields: Any) -> Outcome:
    skin, body = BODIES[dialect]
    headers = {b"authorization": b"Bearer good", b"x-openrouter-metadata": b"enabled"}
    return bench.send(Call(headers, msgspec.json.encode({"model": "a/m", **body, **fields}), Mint(), skin))


def test_the_words_stay_and_the_error_is_inside_the_choice() -> None:
    bench = Bench([served("one")], failed())
    outcome = ask(bench)
    assert (outcome.status, outcome.error) == (200, None)
    choice = outcome.json["choices"][0]
    assert choice["message"]["content"] == "Par"
    assert choice["finish_reason"] == "error"
    assert choice["error"]["code"] == 502
    assert choice["error"]["metadata"]["error_type"] == "provider_unavailable"
    assert outcome.json["usage"]["cost"] == 0
    assert outcome.json["openrouter_metadata"]["summary"] == "available=1, selected=none"
    assert bench.ledgers.settled == [0]
    assert (bench.record.cost, bench.record.finish_reason, bench.record.error_type) == (0, "error", "provider_unavailable")
    assert bench.record.upstream_id == "up-1"
    assert [one.error_type for one in bench.record.attempts] == ["provider_unavailable"]
    assert bench.health.snapshot().failing("one")


def test_another_endpoint_comes_first() -> None:
    bench = Bench([served("one"), served("two")], failed(), answer())
    outcome = ask(bench, provider={"order": ["one", "two"]})
    assert outcome.json["choices"][0]["message"]["content"] == "Paris."
    assert outcome.json["provider"] == "Two"
    assert "error" not in outcome.json["choices"][0]
    assert bench.ledgers.settled == [130]


def test_the_longest_of_several_is_given_and_the_other_failures_are_listed() -> None:
    bench = Bench([served("one"), served("two"), served("three")], failed("Par"), failed("Paris is"), FakeReply(200, {}, [b"not json"]))
    outcome = ask(bench, provider={"order": ["one", "two", "three"]})
    choice = outcome.json["choices"][0]
    assert (choice["message"]["content"], outcome.json["provider"]) == ("Paris is", "Two")
    told = choice["error"]["metadata"]
    assert told["provider_name"] == "Two"
    assert [one["provider"] for one in told["previous_errors"]] == ["One", "Three"]
    assert len(bench.record.attempts) == 3
    assert bench.record.provider_name == "Two"
    assert bench.ledgers.settled == [0]


def test_responses_fail_with_what_was_said() -> None:
    bench = Bench([served("one")], failed(message={"tool_calls": CALLS}))
    got = ask(bench, "responses").json
    assert (got["status"], got["error"]["code"], got["error_type"]) == ("failed", "server_error", "provider_unavailable")
    assert got["output_text"] == "Par"
    assert [(one["type"], one["status"]) for one in got["output"]] == [("message", "incomplete")]
    assert got["usage"]["cost"] == 0
    assert got["openrouter_metadata"]["attempt"] == 1
    assert bench.ledgers.settled == [0]


def test_responses_by_an_upstream_of_the_same_dialect() -> None:
    said = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "Par"}]}
    body = {"id": "r", "status": "failed", "output": [said], "error": {"code": "server_error", "message": "broke"}}
    reply = FakeReply(200, {}, [msgspec.json.encode(body)])
    bench = Bench([served("one", dialect="responses")], reply, reply)
    got = ask(bench, "responses").json
    assert (got["status"], got["output_text"], got["error_type"]) == ("failed", "Par", "provider_unavailable")
    assert got["id"].startswith("gen-")


def test_messages_have_no_such_answer_and_stay_an_error() -> None:
    bench = Bench([served("one"), served("two")], failed("Paris is"), failed("Par"))
    outcome = ask(bench, "messages", provider={"order": ["one", "two"]})
    assert outcome.error is not None
    assert outcome.error.status == 503
    assert bench.record.provider_name == "Two"
    assert bench.ledgers.settled == [0]


def test_text_completions_have_their_own_form() -> None:
    choice = ask(Bench([served("one")], failed()), "completions").json["choices"][0]
    assert (choice["text"], choice["finish_reason"], choice["error"]["code"]) == ("Par", "error", 502)


def test_calls_that_may_be_cut_are_left_out() -> None:
    message = ask(Bench([served("one")], failed(message={"tool_calls": CALLS}))).json["choices"][0]["message"]
    assert message["content"] == "Par"
    assert "tool_calls" not in message


def test_the_error_that_a_gateway_upstream_tells_is_the_one_told() -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Par"}, "finish_reason": "error", "native_finish_reason": "stop"}
    bench = Bench([served("one")], answer(choices=[{**choice, "error": {"code": 429, "message": "slow down"}}]))
    got = ask(bench).json["choices"][0]
    assert (got["error"]["code"], got["error"]["metadata"]["error_type"]) == (429, "rate_limit_exceeded")
    assert got["finish_reason"] == "error"


def test_without_words_it_is_an_error_as_ever() -> None:
    bench = Bench([served("one")], failed("", message={"content": None, "reasoning_content": "hm"}))
    outcome = ask(bench)
    assert outcome.error is not None
    assert outcome.error.status == 502
    assert len(bench.ledgers.records) == 1


def reply_with(text: str, kind: str = "server") -> ChatReply:
    reply = ChatReply("gen-1", "a/m", "P", 1, Quirks())
    reply.decode(b"".join([step for step in failed(text).body if isinstance(step, bytes)]))
    reply.error = UpstreamRefused(kind, "no", status=0)
    return reply


def test_what_is_kept_of_a_failed_answer() -> None:
    one = endpoint("one")
    assert [part.endpoint for part in partial_of(one, reply_with("Par"))] == [one]
    assert partial_of(one, reply_with("")) == []
    assert partial_of(one, reply_with("Par", "moderation")) == []


def test_the_longest_comes_first_and_of_two_the_earlier() -> None:
    error = ConnectFailed("x")
    short, long, again = [Partial(endpoint(name), reply_with(text), error) for name, text in (("a", "P"), ("b", "Pa"), ("c", "Pa"))]
    assert longest_first([short, long, again]) == [long, again, short]


def test_its_own_failure_is_told_and_not_among_the_previous_ones() -> None:
    mine, other = ConnectFailed("mine"), ConnectFailed("other")
    partial = Partial(endpoint("a"), reply_with("P"), mine)
    told = error_of(partial, [Failure(endpoint("a"), mine), Failure(endpoint("b"), other)], ["a/m"])
    assert told.metadata is not None
    assert [one["provider"] for one in told.metadata["previous_errors"]] == [endpoint("b").provider_name]  # type: ignore[attr-defined]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("content", "text", "type", "tool_calls", "function", "name", "index", "error")), inner, max_size=4
        )
    ),
    max_leaves=12,
)
SAID = st.fixed_dictionaries({"content": st.text(max_size=5) | JUNK, "tool_calls": JUNK})


@pytest.mark.parametrize("asked", BODIES)
@settings(max_examples=40, deadline=None)
@given(messages=st.lists(SAID | JUNK, max_size=3), inside=JUNK, told=JUNK)
def test_whatever_an_upstream_sends_a_failed_answer_is_a_body_or_none(asked: str, messages: list[Any], inside: Any, told: Any) -> None:
    identity, (skin, body) = Identity("gen-1", "a/m", "P", 1), BODIES[asked]
    request = skin.parse(msgspec.json.encode({"model": "a/m", **body}))
    choices = [{"message": one, "finish_reason": "error", "error": inside} for one in messages]
    items = [{"type": "message", "role": "assistant", **(one if isinstance(one, dict) else {})} for one in messages]
    documents: dict[str, Any] = {
        "chat": {"choices": choices},
        "responses": {"status": "failed", "output": items, "error": told},
        "messages": {"content": messages, "error": told},
    }
    for dialect, document in documents.items():
        there = msgspec.structs.replace(PLAIN, dialect=dialect)
        decoder = OUTBOUND[there.dialect].decoder(there, Conversation(turns=()), seed="s")
        replies: list[Any] = [TranslatedReply(decoder, skin.encoder(identity, request))]
        replies += [PASSAGES[skin.dialect].reply(identity, there, request)] if dialect == skin.dialect else []
        for reply in replies:
            reply.decode(msgspec.json.encode(document))
            out = reply.partial(ApiError("provider_unavailable", "broke"))
            assert out is None or msgspec.json.decode(out)["id"] == "gen-1"
