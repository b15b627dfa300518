"""Which conversation a request continues, and that its next turn goes where the cache is warm."""

import msgspec
import pytest
from pipelines import DONE, USER, Bench, answer, event, served, stream

from trunkline.health.stickiness import Stickiness, Thread
from trunkline.inference.call import Call, Mint
from trunkline.inference.skins import CHAT, MESSAGES, RESPONSES, Skin
from trunkline.inference.threads import matters, session_of, thread_of
from trunkline.protocol.catalogue import Pricing
from trunkline.transport.fake import FakeReply

CACHING = Pricing(prompt=10, completion=20, input_cache_read=1)
HI = {"role": "user", "content": "hi"}
BE = {"role": "system", "content": "Be brief"}
SAID = {"role": "assistant", "content": "Hello."}
MORE = {"role": "user", "content": "and now?"}


def thread(skin: Skin = CHAT, headers: dict[bytes, bytes] | None = None, **fields: object) -> Thread:
    call = Call(headers or {}, msgspec.json.encode({"model": "a/m", **fields}), Mint(), skin)
    return thread_of(call, USER, skin.parse(call.body))


@pytest.mark.parametrize(
    ("skin", "first", "later", "other"),
    [
        (CHAT, {"messages": [BE, HI]}, {"messages": [BE, HI, SAID, MORE]}, {"messages": [HI]}),
        (
            MESSAGES,
            {"system": "Be brief", "messages": [HI], "max_tokens": 9},
            {"system": "Be brief", "messages": [HI, SAID, MORE], "max_tokens": 9},
            {"messages": [HI], "max_tokens": 9},
        ),
        (
            RESPONSES,
            {"instructions": "Be brief", "input": [HI]},
            {"instructions": "Be brief", "input": [HI, MORE]},
            {"instructions": "Be brief", "input": "hello"},
        ),
    ],
)
def test_a_later_turn_is_of_the_same_conversation(
    skin: Skin, first: dict[str, object], later: dict[str, object], other: dict[str, object]
) -> None:
    assert thread(skin, **first) == thread(skin, **later)
    assert thread(skin, **first).key != thread(skin, **other).key
    assert not thread(skin, **first).named


def test_a_name_is_stronger_than_the_beginning() -> None:
    named = thread(messages=[HI], session_id="s")
    assert named.named
    assert named == thread(messages=[MORE], session_id="s") == thread(headers={b"x-session-id": b"s"}, messages=[HI])
    assert thread(messages=[HI], prompt_cache_key="s") == named
    assert thread(messages=[HI], session_id="t", prompt_cache_key="s") != named


def test_the_body_names_a_conversation_before_the_header_and_the_cache() -> None:
    def name(header: bytes = b"", **fields: str) -> str | None:
        body = msgspec.json.encode({"model": "a/m", "messages": [HI], **fields})
        call = Call({b"x-session-id": header} if header else {}, body, Mint(), CHAT)
        return session_of(call, CHAT.parse(body))

    assert name() is None
    assert name(prompt_cache_key="cache") == "cache"
    assert name(b"header", prompt_cache_key="cache") == "header"
    assert name(b"header", session_id="body", prompt_cache_key="cache") == "body"


def test_a_name_is_no_beginning_and_models_are_apart() -> None:
    assert thread(messages=[HI], session_id="s").key != thread(messages=[HI]).key
    assert thread(model="a/m", messages=[HI]).key != thread(model="a/n", messages=[HI]).key


def test_it_matters_only_where_a_cache_can_save() -> None:
    request = CHAT.parse(b'{"model":"a/m","messages":[{"role":"user","content":"hi"}]}')
    ordered = CHAT.parse(b'{"model":"a/m","messages":[{"role":"user","content":"hi"}],"provider":{"order":["one"]}}')
    one, two = served("one", pricing=CACHING), served("two", pricing=CACHING)
    assert matters(request, [(one, two)])
    assert not matters(request, [(one,)])
    assert not matters(request, [(served("one"), served("two"))])
    assert not matters(ordered, [(one, two)])


def used(cached: int) -> FakeReply:
    return answer(usage={"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": cached}})


def test_a_conversation_stays_where_its_prompt_was_cached() -> None:
    endpoints = [served(name, pricing=CACHING) for name in ("one", "two", "three")]
    bench = Bench(endpoints, *[used(5) for _ in range(12)])
    bench.stick(Stickiness())
    for _ in range(12):
        bench.ask()
    assert len({record.endpoint_id for record in bench.ledgers.records}) == 1


def test_without_a_cache_or_a_name_it_is_drawn_anew() -> None:
    endpoints = [served(name, pricing=CACHING) for name in ("one", "two", "three")]
    bench = Bench(endpoints, *[used(0) for _ in range(40)])
    bench.stick(Stickiness())
    for _ in range(40):
        bench.ask()
    assert len({record.endpoint_id for record in bench.ledgers.records}) > 1


def test_a_named_one_stays_after_a_stream_too_and_leaves_who_failed() -> None:
    endpoints = [served(name, pricing=CACHING) for name in ("one", "two")]
    good = stream(event({"content": "Hi"}), event({}, finish="stop"), DONE)
    bench = Bench(endpoints, good, good, FakeReply(500, {}, [b"{}"]), good, good)
    bench.stick(Stickiness())
    for _ in range(4):
        bench.ask(stream=True, session_id="s")
    first, second, third, fourth = [record.endpoint_id for record in bench.ledgers.records]
    assert first == second != third == fourth
