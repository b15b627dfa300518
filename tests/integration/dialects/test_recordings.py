"""The product of real upstream answers and client dialects: each recording, on each way to a client, whole and streamed, passes the strict
readers and says what was recorded."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest
from cassettes import EDITED, FAILURES, NEEDED, ROOT, SKIPPED, Recording, answers, recordings, refusals
from client_side import CLIENTS, Client, payloads
from recorded import documents, read
from replay import account, endpoint, exchange, route, streamed, whole

from trunkline.dialects.hub.translation import StreamTranslator, WholeTranslator
from trunkline.dialects.refusals import classify
from trunkline.errors import UpstreamError
from trunkline.inference.failures import Failure, summarise
from trunkline.inference.skins import SKINS
from trunkline.inference.ways import OUTBOUND

pytestmark = NEEDED

UNRECORDED = {"cohere": "no recording of Cohere's own API is at hand: its unit tests read the examples of Cohere's documents"}
"""Dialects that can be reached, but not replayed."""

REPLAYED = {
    **{"openai": 401, "anthropic": 241, "google": 233, "bedrock": 176, "google-vertex": 97, "groq": 50, "mistral": 39, "openrouter": 27},
    **{"cerebras": 7, "snowflake": 7, "crusoe": 5, "pydantic-gateway": 5, "ollama": 4, "azure": 3, "deepseek": 1, "heroku": 1, "other": 1},
}
"""How many recordings of each provider are replayed; a number may only rise."""


def test_every_recording_is_replayed_or_has_one_reason_not_to_be() -> None:
    unlisted = [(one.file, one.reasons) for one in recordings() if not one.dialect and len(one.reasons) != 1]
    assert not unlisted
    assert {reason for one in recordings() for reason in one.reasons} == {row[3] for row in SKIPPED}
    assert len(recordings()) == len(json.loads((ROOT / "index.json").read_bytes()))


def test_no_provider_is_replayed_less_than_before() -> None:
    replayed = Counter(one.provider for one in [*answers(), *refusals()])
    assert {provider: count for provider, count in REPLAYED.items() if replayed[provider] < count} == {}
    assert replayed.keys() == REPLAYED.keys()


def test_every_dialect_that_can_be_reached_is_replayed() -> None:
    assert {one.dialect for one in answers()} | UNRECORDED.keys() == OUTBOUND.keys()
    assert {one.file for one in recordings()} >= FAILURES.keys() | EDITED.keys()


def good(dialect: str, client: str, *, stream: bool) -> Iterator[Recording]:
    """The answers of a dialect that a client can be given: streams for streams, whole ones for both."""
    for one in answers(dialect, streamed=None if stream else False):
        if one.file not in FAILURES and not (one.file in EDITED and client == one.dialect):
            yield one


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("dialect", sorted(OUTBOUND.keys() - UNRECORDED))
def test_clients_get_what_was_recorded(dialect: str, client: str, stream: bool) -> None:
    seen = 0
    for one in good(dialect, client, stream=stream):
        data = streamed(one, client) if stream else whole(one, client)
        speaks, passed = CLIENTS[client], client == dialect
        said = speaks.stream(data, passed=passed) if stream else speaks.whole(json.loads(data))
        assert said == read(one), one.file
        given = payloads(data) if stream else [json.loads(data)]
        problems = speaks.problems(given, stream=stream)
        assert not problems or (passed and granted(speaks, one, problems, stream=stream)), (one.file, problems)
        seen += 1
    assert seen


def granted(speaks: Client, one: Recording, problems: list[str], *, stream: bool) -> bool:
    """Whether an answer that only passed through has no more problems than the upstream's own (which are older or newer than the SDK)."""
    own = speaks.problems(list(documents(one)), stream=one.streamed)
    return len(problems) <= len(own) if stream == one.streamed else bool(own)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("file", FAILURES)
def test_what_is_no_answer_fails_before_anything_goes_out(file: str, client: str) -> None:
    (one,) = [one for one in answers() if one.file == file]
    for ask in (streamed,) if one.streamed else (streamed, whole):
        with pytest.raises((UpstreamError, AssertionError)) as raised:
            ask(one, client)
        if isinstance(raised.value, UpstreamError):
            assert raised.value.kind == "malformed"


@pytest.mark.parametrize("client", CLIENTS)
def test_refusals_reach_clients_in_their_own_envelope(client: str) -> None:
    for one in refusals():
        error = classify(one.status, {}, one.data)
        told = summarise([Failure(endpoint(one), error)], ["a/m"])
        body = json.loads(SKINS[CLIENTS[client].path].render(told))
        said = body["error"]["message"]
        assert said and not said.startswith("{"), one.file
        assert told.status in ((502,) if error.kind == "malformed" else (400, 404)), (one.file, error.kind)
        if client == "messages":
            assert (body["type"], body["error"]["type"]) == ("error", ENVELOPE[told.status])
        else:
            assert body["error"]["code"] == told.status or client == "responses"


ENVELOPE = {400: "invalid_request_error", 404: "not_found_error", 502: "api_error"}


def test_what_is_charged_does_not_depend_on_who_asks() -> None:
    for one in answers():
        if one.file not in FAILURES:
            known = [facts(one, client, stream=stream) for client in CLIENTS for stream in ((True,) if one.streamed else (True, False))]
            assert known == known[:1] * len(known), one.file


def facts(one: Recording, client: str, *, stream: bool) -> tuple[object, ...]:
    """What the gateway records of an answer."""
    there = route(one, client)
    asked = exchange(client, stream=stream)
    seen: StreamTranslator | WholeTranslator
    if not stream:
        seen = there.reply(asked)
        seen.decode(one.data)
    elif one.streamed:
        seen, splitter = there.stream(asked), there.splitter()
        seen.feed(splitter.feed(one.data) + splitter.close())
    else:
        seen = there.stream(asked)
        seen.unstreamed(one.data)
    calls = [(call.name, json.loads(call.arguments)) for call in seen.tool_calls]
    return account(seen, one), seen.finish_reason, seen.native_finish_reason, seen.upstream_id, seen.service_tier, calls
