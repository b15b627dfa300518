"""The mock upstream in every dialect: what it streams folds to what it says whole, and both say what the script says."""

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec
import pytest
from endpoints import PLAIN
from msgspec.structs import replace
from polyglot import CITY, DIALECTS, QUESTION, THOUGHT

from trunkline.dialects.chat.request import parse
from trunkline.dialects.chat.turns import conversation
from trunkline.dialects.cohere import PLAN
from trunkline.dialects.hub.answer import Answer as Folded
from trunkline.dialects.hub.answer import fold
from trunkline.inference.ways import OUTBOUND
from trunkline.metering.usage import normalise
from trunkline.mock.script import Answer, Citation, Rule, Tokens, ToolCall
from trunkline.mock.thread import MockServer
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.quirks import Quirks

TOOL = {"type": "function", "function": {"name": "weather", "description": "The weather of a city", "parameters": CITY}}
QUIRKS = {"chat": Quirks(reasoning_out="reasoning_content")}
CALL = ToolCall(name="weather", arguments={"city": "Paris"}, id="call_1")
SCRIPTS = {
    "words": Answer(text="One two three four."),
    "thought": Answer(text="Sunny.", reasoning=THOUGHT, tokens=Tokens(prompt=100, completion=50, reasoning=20, cached=30)),
    "calls": Answer(text="", tool_calls=(CALL, ToolCall(name="weather", arguments={"city": "Rome"}, id="call_2"))),
    "thoughtful call": Answer(text="", reasoning=THOUGHT, tool_calls=(CALL,)),
    "announced call": Answer(text="I ask.", tool_calls=(CALL,)),
    "thoughtful announced call": Answer(text="I ask.", reasoning=THOUGHT, tool_calls=(CALL,)),
    "cut": Answer(text="It is", finish_reason="length"),
    "cited": Answer(text="It is sunny.", citations=(Citation(url="https://weather.test/", title="Weather", start=0, end=5),)),
    "redacted": Answer(text="Sunny.", redacted="secret"),
    "written": Answer(text="Hi.", tokens=Tokens(prompt=90, completion=5, cached=10, written=40)),
}


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


def endpoint(dialect: str, origin: str) -> Endpoint:
    base = origin if dialect in ("converse", "cohere") else f"{origin}/v1"
    quirks = QUIRKS.get(dialect, Quirks())
    return replace(PLAIN, dialect=dialect, base_url=base, upstream_model="echo-1", quirks=quirks)  # type: ignore[arg-type]


def asked(where: Endpoint, *, stream: bool) -> Folded:
    """The fold of the mock's answer, streamed or whole."""
    outbound = OUTBOUND[where.dialect]
    fields = {"model": "a/m", "messages": [{"role": "user", "content": QUESTION}], "tools": [TOOL], "stream": stream}
    there = conversation(parse(msgspec.json.encode({**fields, "reasoning": {"effort": "low"}, "max_tokens": 4096})))
    data = post(outbound.url(where, stream=stream), outbound.composer(where).compose(there), dict(outbound.headers))
    decoder = outbound.decoder(where, there, seed="s")
    if not stream:
        return fold(decoder.whole(data))
    splitter = outbound.splitter()
    return fold([*decoder.feed(splitter.feed(data)), *decoder.feed(splitter.close()), *decoder.close()])


def post(url: str, body: bytes, headers: dict[str, str]) -> bytes:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request("POST", f"{parts.path}?{parts.query}", body, {"content-type": "application/json", **headers})
        response = connection.getresponse()
        data = response.read()
        assert response.status == 200, data
        return data
    finally:
        connection.close()


def facts(found: Folded, where: Endpoint) -> dict[str, object]:
    """An answer without the ids that differ from call to call."""
    parts = [(block.kind, block.name, block.format, {kind: block.joined(kind) for kind in block.parts}) for block in found.blocks]
    said = [(kind, name, family, {key: text for key, text in texts.items() if text}) for kind, name, family, texts in parts]
    return {
        "blocks": [one for one in said if one[3] or one[0] == "tool_call"],
        "finish": found.finish,
        "usage": normalise(found.usage or {}, where.quirks, where.dialect),
        "error": found.error,
    }


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_fold_of_a_stream_is_the_whole_answer(upstream: MockServer, dialect: str, script: str) -> None:
    answer = SCRIPTS[script]
    upstream.use(Rule(answer=answer))
    where = endpoint(dialect, upstream.origin)
    whole, streamed = (asked(where, stream=stream) for stream in (False, True))
    assert facts(streamed, where) == facts(whole, where)
    assert whole.error is None
    calls = [(call.name, msgspec.json.decode(call.joined("arguments"))) for call in whole.tool_calls]
    assert calls == [(call.name, call.arguments) for call in answer.tool_calls]
    is_plan = dialect == "cohere" and bool(answer.text and calls)  # which is reasoning
    said = [block.joined("text") for block in whole.blocks if (block.id == PLAN if is_plan else block.kind == "text")]
    assert "".join(said) == answer.text
    assert whole.finish is not None
    assert whole.finish.reason == ("tool_calls" if calls else answer.finish_reason or "stop")
    if answer.tokens.prompt is not None:
        usage = normalise(whole.usage or {}, where.quirks, where.dialect)
        assert (usage.input_total, usage.output_total) == (answer.tokens.prompt, answer.tokens.completion)
