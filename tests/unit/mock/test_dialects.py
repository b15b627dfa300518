from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from vendor_readers import READERS, Said, arguments
from vendor_requests import VERSION, WRITERS, Wish

from trunkline.mock.content import PIXEL
from trunkline.mock.dialects import DIALECTS, find
from trunkline.mock.respond import Request, Responder
from trunkline.mock.script import Answer, Citation, Rule, Script, Tokens, ToolCall
from trunkline.mock.seen import Seen
from trunkline.mock.wire import Send

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = {"weather": WEATHER, "time": {"type": "object", "properties": {}}}
EVERY = pytest.mark.parametrize("dialect", WRITERS)
BOTH = pytest.mark.parametrize("stream", [False, True])


def ask(dialect: str, wish: Wish, script: Script = Script()) -> tuple[int, bytes]:  # noqa: B008
    """Status and body of the answer, without HTTP's chunks."""
    path, body = WRITERS[dialect](wish)
    headers = [*VERSION.items(), ("content-type", "application/json")]
    request = Request(method="POST", path=path, headers=headers, body=msgspec.json.encode(body), keep_alive=True)
    seen = Seen(number=1, at=0, method="POST", path=path, headers=headers, body="")
    steps = Responder(script).respond(request, seen)
    assert seen.dialect == dialect
    head, _, payload = b"".join(step.data for step in steps if isinstance(step, Send)).partition(b"\r\n\r\n")
    return int(head.split()[1]), unchunked(payload) if b"transfer-encoding: chunked" in head else payload


def unchunked(data: bytes) -> bytes:
    body = b""
    while True:
        size, _, rest = data.partition(b"\r\n")
        if not int(size, 16):
            return body
        body += rest[: int(size, 16)]
        data = rest[int(size, 16) + 2 :]


def say(dialect: str, wish: Wish, answer: Answer = Answer(), **fields: Any) -> Said:  # noqa: B008
    status, body = ask(dialect, wish, Script(rules=(Rule(answer=answer),), **fields))
    assert status == 200, body
    return READERS[dialect][wish.stream](body)


@EVERY
@BOTH
def test_the_default_is_an_echo(dialect: str, stream: bool) -> None:
    said = say(dialect, Wish(stream=stream))
    assert (said.text, said.reasoning, said.calls) == ("one two three", "", [])
    assert said.finish in ("stop", "completed", "end_turn", "STOP", "COMPLETE")
    assert msgspec.json.encode(said.usage).count(b":3") >= 2


ANSWERS = {
    "all": Answer(text="Hello you.", reasoning="Let me think.", tool_calls=(ToolCall(name="weather", arguments={"city": "Ulm"}),), words=2),
    "parallel": Answer(
        tool_calls=(ToolCall(name="a", arguments={"x": [1]}, id="id_a"), ToolCall(name="b", arguments={"y": "ü"}, id="id_b"))
    ),
    "no arguments": Answer(tool_calls=(ToolCall(name="now"),)),
    "reasoning": Answer(reasoning="Hm.", text="Yes."),
    "hidden": Answer(redacted="secret", text="Yes."),
    "refusal": Answer(text="", refusal="I will not."),
    "sources": Answer(text="It rains.", citations=(Citation(url="http://example.com/a", title="A", start=0, end=2),)),
    "empty": Answer(text=""),
    "length": Answer(text="cut", finish_reason="length"),
}


@EVERY
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_the_stream_says_what_the_whole_says(dialect: str, answer: Answer) -> None:
    assert say(dialect, Wish(stream=True), answer) == say(dialect, Wish(), answer)


@EVERY
@BOTH
def test_reasoning_text_and_calls(dialect: str, stream: bool) -> None:
    said = say(dialect, Wish(stream=stream), ANSWERS["all"])
    assert (said.reasoning, said.text) == ("Let me think.", "Hello you.")
    assert [call[1:] for call in said.calls] == [("weather", '{"city": "Ulm"}')]
    assert bool(said.signatures) == (dialect not in ("chat", "cohere"))
    assert said.finish in ("tool_calls", "tool_use", "completed", "STOP", "TOOL_CALL")


@EVERY
@BOTH
def test_calls_keep_their_ids(dialect: str, stream: bool) -> None:
    said = say(dialect, Wish(stream=stream), ANSWERS["parallel"])
    assert said.calls == [("id_a", "a", '{"x": [1]}'), ("id_b", "b", arguments('{"y": "ü"}'))]


@EVERY
@BOTH
def test_a_forced_tool_is_called_with_fitting_arguments(dialect: str, stream: bool) -> None:
    said = say(dialect, Wish(stream=stream, tools=TOOLS, forced=True))
    assert [call[1:] for call in said.calls] == [("weather", '{"city": "mock"}')]


@EVERY
@BOTH
def test_the_loop_of_tools_ends_with_what_they_answered(dialect: str, stream: bool) -> None:
    answer = Answer(offered=2)
    first = say(dialect, Wish(stream=stream, tools=TOOLS), answer)
    assert [call[1] for call in first.calls] == ["weather", "time"]
    called = (first.calls[0][0] or "x1", "weather", {"city": "mock"}, "sunny")
    second = say(dialect, Wish(stream=stream, tools=TOOLS, called=called), answer)
    assert (second.calls, "sunny" in second.text, second.text.startswith("The tools answered")) == ([], True, True)
    third = say(dialect, Wish(stream=stream, tools=TOOLS, called=called), Answer(offered=1, rounds=2))
    assert [call[1] for call in third.calls] == ["weather"]


@EVERY
@BOTH
def test_a_schema_is_answered_with_fitting_json(dialect: str, stream: bool) -> None:
    if dialect == "converse":
        return
    said = say(dialect, Wish(stream=stream, schema=WEATHER))
    assert msgspec.json.decode(said.text) == {"city": "mock"}


@EVERY
@BOTH
def test_a_limit_cuts_the_echo(dialect: str, stream: bool) -> None:
    said = say(dialect, Wish(stream=stream, max_tokens=2))
    assert said.text == "one two "
    assert said.finish in ("length", "max_output_tokens", "max_tokens", "MAX_TOKENS")


@EVERY
@BOTH
def test_pictures(dialect: str, stream: bool) -> None:
    if dialect in ("messages", "cohere") or (dialect == "converse" and stream):
        return
    assert [image.removeprefix("data:image/png;base64,") for image in say(dialect, Wish(stream=stream), Answer(images=2)).images] == [
        PIXEL
    ] * 2


TOKENS = Tokens(prompt=100, completion=40, reasoning=30, cached=50, written=20)
USAGES = {
    "chat": {
        "prompt_tokens": 100,
        "completion_tokens": 40,
        "total_tokens": 140,
        "prompt_tokens_details": {"cached_tokens": 50, "cache_write_tokens": 20},
        "completion_tokens_details": {"reasoning_tokens": 30},
    },
    "responses": {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 50, "cache_write_tokens": 20},
        "output_tokens": 40,
        "output_tokens_details": {"reasoning_tokens": 30},
        "total_tokens": 140,
    },
    "messages": {
        "input_tokens": 30,
        "cache_creation_input_tokens": 20,
        "cache_read_input_tokens": 50,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 40,
        "service_tier": "standard",
    },
    "gemini": {
        "promptTokenCount": 100,
        "candidatesTokenCount": 10,
        "totalTokenCount": 140,
        "cachedContentTokenCount": 50,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 100}],
        "thoughtsTokenCount": 30,
    },
    "converse": {"inputTokens": 30, "outputTokens": 40, "totalTokens": 140, "cacheReadInputTokens": 50, "cacheWriteInputTokens": 20},
    "cohere": {
        "billed_units": {"input_tokens": 100, "output_tokens": 40},
        "tokens": {"input_tokens": 100, "output_tokens": 40},
        "cached_tokens": 50,
    },
}


@EVERY
@BOTH
def test_usage_as_each_vendor_counts_it(dialect: str, stream: bool) -> None:
    assert say(dialect, Wish(stream=stream), Answer(tokens=TOKENS)).usage == USAGES[dialect]


@EVERY
@BOTH
def test_no_usage_at_all(dialect: str, stream: bool) -> None:
    assert say(dialect, Wish(stream=stream), Answer(usage_place="never")).usage == {}


@EVERY
def test_the_same_call_gives_the_same_bytes(dialect: str) -> None:
    script = Script(rules=(Rule(answer=ANSWERS["all"]),))
    assert ask(dialect, Wish(stream=True), script) == ask(dialect, Wish(stream=True), script)


@EVERY
def test_words_a_vendor_does_not_know_are_sent_as_they_are(dialect: str) -> None:
    word = "incomplete" if dialect == "responses" else "pause_turn"
    status, body = ask(dialect, Wish(), Script(rules=(Rule(answer=Answer(finish_reason=word)),)))
    assert (status, f'"{word}"'.encode() in body) == (200, True)


@pytest.mark.parametrize(
    ("path", "name", "model"),
    [
        ("/v1/chat/completions", "chat", None),
        ("/openai/v1/responses", "responses", None),
        ("/v1/messages", "messages", None),
        ("/anthropic/v1/messages/count_tokens", "count_tokens", None),
        ("/v1/projects/p/locations/global/publishers/anthropic/models/claude:streamRawPredict", "messages", "claude"),
        ("/v1beta/models/gemini-2.5-pro:generateContent", "gemini", "gemini-2.5-pro"),
        ("/v1/projects/p/locations/us/publishers/google/models/g:streamGenerateContent", "gemini", "g"),
        ("/v1beta/models/g:countTokens", "count_tokens", "g"),
        ("/model/us.anthropic.claude-v1:0/converse", "converse", "us.anthropic.claude-v1:0"),
        ("/model/arn:aws:bedrock:us:1:inference-profile/x/converse-stream", "converse", "arn:aws:bedrock:us:1:inference-profile/x"),
        ("/v2/chat", "cohere", None),
        ("/v2/embed", "cohere_embeddings", None),
        ("/v2/rerank", "cohere_rerank", None),
        ("/v1/rerank", "rerank", None),
        ("/v1/embeddings", "embeddings", None),
        ("/v1beta/models/e:batchEmbedContents", "gemini_embeddings", "e"),
        ("/v1/images/generations", "images", None),
        ("/v1/audio/speech", "speech", None),
        ("/v1/audio/transcriptions", "transcription", None),
    ],
)
def test_the_path_tells_the_dialect(path: str, name: str, model: str | None) -> None:
    found = find(path)
    assert found is not None
    assert (found[0].name, found[1].get("model")) == (name, model)


@pytest.mark.parametrize("path", ["/", "/v1/chat", "/v1/models", "/v1/messages/batches", "/v1beta/models/g:tune"])
def test_other_paths_are_none(path: str) -> None:
    assert find(path) is None


def test_every_row_is_reached_by_its_own_path() -> None:
    assert len({dialect.path.pattern for dialect in DIALECTS}) == len(DIALECTS)


@pytest.mark.parametrize("dialect", ["gemini", "converse"])
def test_a_model_in_the_path_may_be_escaped(dialect: str) -> None:
    status, _ = ask(dialect, Wish(model=quote("fault/status?status=418", safe="")))
    assert status == 418
