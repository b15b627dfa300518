"""Answers that pass through and are read beside, in each dialect that passes: the client's bytes stay the same, and the text is known."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from pipelines import USER, served

from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.events import BlockStart, Delta, Event, Finish, Start
from trunkline.errors import ApiError
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.overheard import MAX_BODY_BYTES, OverheardReply, OverheardStream, Told, Words, text_of
from trunkline.inference.skins import CHAT, MESSAGES, RESPONSES, Skin
from trunkline.inference.ways import PASSAGES, way
from trunkline.limits.account import Hold
from trunkline.metering.structured import MAX_CHARACTERS
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.routing import Plan
from trunkline.protocol.usage import Cost, Usage

USAGE = Usage(7, 3)
Json = dict[str, Any]
SCHEMA: Json = {"type": "object"}


class Dialect(msgspec.Struct, frozen=True):
    """A request for JSON in one dialect, and what an upstream says to it."""

    skin: Skin
    body: Json
    form: Json
    events: tuple[Json, ...]
    whole: Json
    refusal: tuple[Json, ...]


def chunk(finish: str | None = None, **delta: Any) -> Json:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "up-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices}


def said(kind: str, **fields: Any) -> Json:
    return {"type": f"response.{kind}", "sequence_number": 1, **fields}


def response(*output: Json) -> Json:
    return {"id": "up-1", "object": "response", "status": "completed", "model": "m", "output": list(output)}


def message(text: str, kind: str = "output_text") -> Json:
    content = [{"type": kind, ("text" if kind == "output_text" else "refusal"): text}]
    return {"type": "message", "id": "msg-1", "role": "assistant", "status": "completed", "content": content}


PLACE: Json = {"item_id": "msg-1", "output_index": 0, "content_index": 0}
BEGUN = (said("created", response=response()), said("output_item.added", output_index=0, item={**message(""), "content": []}))
CHATS = Dialect(
    CHAT,
    {"model": "a/m", "messages": [{"role": "user", "content": "x"}]},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}},
    (
        chunk(role="assistant", content=""),
        chunk(reasoning_content="hm {"),
        chunk(content='{"a"'),
        chunk(content=": 1"),
        chunk(content=' , "é"'),
        chunk(content=":2}"),
        chunk("stop"),
    ),
    {
        "id": "up-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": '{"a": 1 , "é":2}'}, "finish_reason": "stop"}],
    },
    (chunk(role="assistant", content=""), chunk(refusal="I would rather not."), chunk("stop")),
)
ANTHROPIC = Dialect(
    MESSAGES,
    {"model": "a/m", "max_tokens": 99, "messages": [{"role": "user", "content": "x"}]},
    {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    (
        {"type": "message_start", "message": {"id": "up-1", "type": "message", "role": "assistant", "model": "m", "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm {"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": '{"a": 1 , '}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": '"é":2}'}},
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ),
    {
        "id": "up-1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": '{"a": 1 , "é":2}'}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 7, "output_tokens": 3},
    },
    (),
)
OPENAI = Dialect(
    RESPONSES,
    {"model": "a/m", "input": "x"},
    {"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}},
    (
        *BEGUN,
        said("content_part.added", **PLACE, part={"type": "output_text", "text": ""}),
        said("output_text.delta", **PLACE, delta='{"a": 1 , '),
        said("output_text.delta", **PLACE, delta='"é":2}'),
        said("output_text.done", **PLACE, text='{"a": 1 , "é":2}'),
        said("output_item.done", output_index=0, item=message('{"a": 1 , "é":2}')),
        said("completed", response=response(message('{"a": 1 , "é":2}'))),
    ),
    response(message('{"a": 1 , "é":2}')),
    (
        *BEGUN,
        said("content_part.added", **PLACE, part={"type": "refusal", "refusal": ""}),
        said("refusal.delta", **PLACE, delta="I would rather not."),
        said("output_item.done", output_index=0, item=message("I would rather not.", "refusal")),
        said("completed", response=response(message("I would rather not.", "refusal"))),
    ),
)
ALL = pytest.mark.parametrize("dialect", [CHATS, ANTHROPIC, OPENAI], ids=lambda one: one.skin.dialect)
REFUSING = pytest.mark.parametrize("dialect", [CHATS, OPENAI], ids=lambda one: one.skin.dialect)
TEXT = '{"a": 1 , "é":2}'


def exchange(dialect: Dialect, **fields: Any) -> Exchange:
    body = msgspec.json.encode({**dialect.body, **fields})
    call = Call({}, body, Mint(lambda count: b"r" * count), dialect.skin)
    call.created_ms, call.id_text = 1, "gen-1"
    return Exchange(call, USER, dialect.skin.parse(body), Plan((served("one"),)), Hold(), 1)


def made(dialect: Dialect, make: str, **fields: Any) -> Any:
    """What reads an answer to this request, asked for by way of `ways`."""
    return getattr(way(dialect.skin.dialect, at(dialect)), make)(exchange(dialect, **fields))


def bare(dialect: Dialect, make: str) -> Any:
    """What would read an answer in the asked form if nobody listened."""
    asked = exchange(dialect, **dialect.form)
    return getattr(PASSAGES[dialect.skin.dialect], make)(asked.identity(at(dialect)), at(dialect), asked.request)


def at(dialect: Dialect) -> Endpoint:
    return msgspec.structs.replace(served("one"), dialect=dialect.skin.dialect)


def played(stream: Any, events: tuple[Json, ...]) -> bytes:
    out = b"".join([stream.feed([msgspec.json.encode(one)]) for one in events]) + stream.end()
    return bytes(out + stream.finish(USAGE, Cost(5)))


def facts(seen: Any) -> tuple[Any, ...]:
    names = ("usage", "upstream_id", "service_tier", "error", "finish_reason", "native_finish_reason", "output_chars")
    return (*[getattr(seen, name) for name in names], [(call.name, call.arguments) for call in seen.tool_calls])


def test_every_dialect_that_passes_is_here() -> None:
    assert {one.skin.dialect for one in (CHATS, ANTHROPIC, OPENAI)} == set(PASSAGES)


@ALL
def test_a_request_for_no_form_is_not_overheard(dialect: Dialect) -> None:
    for make in ("stream", "reply"):
        assert not isinstance(made(dialect, make), Told)
    for make, kind in (("stream", OverheardStream), ("reply", OverheardReply)):
        assert type(made(dialect, make, **dialect.form)) is kind


@ALL
def test_a_stream_is_the_same_and_its_text_is_known(dialect: Dialect) -> None:
    plain, heard = bare(dialect, "stream"), made(dialect, "stream", **dialect.form)
    assert not heard.committed
    assert played(plain, dialect.events) == played(heard, dialect.events)
    assert facts(plain) == facts(heard)
    assert (plain.committed, plain.done) == (heard.committed, heard.done)
    assert heard.text() == TEXT
    assert heard.size == len(TEXT)


@ALL
def test_a_body_is_the_same_and_its_text_is_known(dialect: Dialect) -> None:
    body = msgspec.json.encode(dialect.whole)
    plain, heard = bare(dialect, "reply"), made(dialect, "reply", **dialect.form)
    assert heard.text() is None
    for reply in (plain, heard):
        reply.decode(body)
    assert plain.encode(USAGE, Cost(5)) == heard.encode(USAGE, Cost(5))
    assert facts(plain) == facts(heard)
    assert plain.empty is heard.empty is False
    assert heard.size == len(body)
    assert [heard.text(), heard.text()] == [TEXT, TEXT]


@ALL
def test_a_body_in_place_of_a_stream_is_overheard_too(dialect: Dialect) -> None:
    body = msgspec.json.encode(dialect.whole)
    plain, heard = bare(dialect, "stream"), made(dialect, "stream", **dialect.form)
    assert plain.unstreamed(body) == heard.unstreamed(body)
    assert heard.text() == TEXT


@ALL
def test_an_end_that_went_wrong_is_told_the_same(dialect: Dialect) -> None:
    ends = []
    for stream in (bare(dialect, "stream"), made(dialect, "stream", **dialect.form)):
        ends.append(b"".join([stream.feed([msgspec.json.encode(one)]) for one in dialect.events[:-2]]))
        ends[-1] += stream.fail(ApiError("provider_unavailable", "gone"))
    assert ends[0] == ends[1]


@ALL
def test_a_failed_body_is_told_the_same(dialect: Dialect) -> None:
    ends = []
    for reply in (bare(dialect, "reply"), made(dialect, "reply", **dialect.form)):
        reply.decode(msgspec.json.encode(dialect.whole))
        ends.append(reply.partial(ApiError("provider_unavailable", "gone")))
    assert ends[0] == ends[1]


@REFUSING
def test_a_refusal_has_no_form(dialect: Dialect) -> None:
    heard = made(dialect, "stream", **dialect.form)
    played(heard, dialect.refusal)
    assert heard.text() is None


def test_what_is_too_long_is_given_up() -> None:
    heard = made(CHATS, "stream", **CHATS.form)
    piece = msgspec.json.encode(chunk(content="x" * (MAX_CHARACTERS // 2)))
    for _ in range(2):
        heard.feed([piece])
    assert heard.size == MAX_CHARACTERS
    heard.feed([piece])
    assert (heard.text(), heard.size) == (None, 0)
    assert heard.output_chars == 3 * (MAX_CHARACTERS // 2)

    body = msgspec.json.encode({**CHATS.whole, "padding": "x" * MAX_BODY_BYTES})
    reply, stream = made(CHATS, "reply", **CHATS.form), made(CHATS, "stream", **CHATS.form)
    reply.decode(body)
    assert (reply.text(), reply.size, reply.finish_reason) == (None, 0, "stop")
    assert stream.unstreamed(body)
    assert stream.text() is None


def events(*kinds: str) -> list[Event]:
    blocks: list[Event] = [Start("up")]
    for index, kind in enumerate(kinds):
        blocks += [BlockStart(index, kind), Delta(index, "text", f"<{kind}>"), Delta(index, "logprobs", "[]")]  # type: ignore[arg-type]
    return [*blocks, Finish("stop")]


def kept(told: list[Event]) -> str | None:
    words = Words()
    words.take(told)
    return words.joined()


@pytest.mark.parametrize("read", [kept, lambda told: text_of(fold(told))], ids=["as it comes", "folded"])
def test_only_text_counts(read: Callable[[list[Event]], str | None]) -> None:
    assert read(events("reasoning", "text", "reasoning", "text")) == "<text><text>"
    assert read(events("text", "refusal", "text")) is None
    assert read([]) == ""


def test_an_empty_answer_has_an_empty_text() -> None:
    assert text_of(Answer()) == ""
