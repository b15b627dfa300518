from typing import Any

import msgspec
import pytest

from trunkline.dialects.chat import splice

EVENT = b'{"id":"x","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"usage":null}'
PADDED = EVENT[:-1] + b',"obfuscation":"aZ9"}'


def learned(event: bytes) -> splice.Template:
    cut = splice.cut(event, "content")
    assert cut is not None
    template = splice.template(cut, "content", b"<%b|%b>" % (splice.SENTINEL.encode(), splice.SENTINEL.encode()))
    assert template is not None
    return template


def run(template: splice.Template, *payloads: bytes) -> tuple[bytes, int, str]:
    out: list[bytes] = []
    count, text = template.run(payloads, 0, out)
    return b"".join(out), count, text


def test_copies_the_string_and_decodes_it() -> None:
    assert run(learned(EVENT), EVENT.replace(b"Hi", b'a\\"\\u0062')) == (b'<a\\"\\u0062|a\\"\\u0062>', 1, 'a"b')


def test_padding_may_vary() -> None:
    template = learned(PADDED)
    assert run(template, PADDED.replace(b"aZ9", b"").replace(b"Hi", b"Ho"))[1:] == (1, "Ho")
    assert run(template, PADDED.replace(b"aZ9", b'","x":"'))[1:] == (0, "")
    assert run(template, EVENT)[1:] == (0, "")


def test_padding_before_the_string_must_be_the_same() -> None:
    event = b'{"obfuscation":"aZ9",' + EVENT[1:]
    assert run(learned(event), event, event.replace(b"Hi", b"Ho"), event.replace(b"aZ9", b"x"))[1:] == (2, "HiHo")


def test_stops_at_the_first_payload_that_does_not_fit() -> None:
    other = EVENT.replace(b'"x"', b'"y"')
    assert run(learned(EVENT), EVENT, EVENT, other, EVENT)[1:] == (2, "HiHi")


def test_a_mark_that_is_needed_once_splits_the_event_in_two() -> None:
    cut = splice.cut(EVENT, "content")
    assert cut is not None
    template = splice.template(cut, "content", b"<%b>" % splice.SENTINEL.encode())
    assert template is not None
    assert run(template, EVENT, EVENT.replace(b"Hi", b"Ho")) == (b"<Hi><Ho>", 2, "HiHo")


@pytest.mark.parametrize(
    "inside",
    [b"", b'a","role":"b', b"a\\", b"\xff", b"a\nb", b"\\ud800", b'"', b'x"},"finish_reason":"stop"}],"a":{"b":"c'],
)
def test_refuses_what_is_not_the_inside_of_one_string(inside: bytes) -> None:
    for event in (EVENT, PADDED):
        assert run(learned(event), event.replace(b"Hi", inside)) == (b"", 0, "")
        assert run(learned(event), event, event.replace(b"Hi", inside), event)[1:] == (1, "Hi")


@pytest.mark.parametrize(
    "event",
    [
        b'{"content":"a","x":{"content":"b"}}',
        b'{"content":null}',
        b'{"text":"content"}',
        b'{"obfuscation":"a","content":"b","x":{"obfuscation":"c"}}',
        b'{"content":"a","obfuscation":"b","x":{"obfuscation":"c"}}',
        b'{"con\\u0074ent":"a","x":{"content":"b"}}',
        b'{"content":"a","x":{"con\\u0074ent":"b"}}',
        b'{"content":"\\ud800"}',
    ],
)
def test_does_not_cut_where_the_key_is_not_certain(event: bytes) -> None:
    assert splice.cut(event, "content") is None


def test_cuts_around_the_string_with_its_escapes() -> None:
    assert splice.cut(b'{ "content" :  "a\\"b", "x":1}', "content") == splice.Cut(b'{ "content" :  "', b'", "x":1}', None)


def test_an_event_without_the_mark_makes_no_template() -> None:
    assert splice.template(splice.Cut(b"a", b"b", None), "content", b"nothing of it") is None


def chunk(delta: object, **choice: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None, **choice}]}


def call(**function: object) -> dict[str, object]:
    return {"tool_calls": [{"index": 0, "function": function}]}


@pytest.mark.parametrize(
    ("chunk", "slot"),
    [
        (chunk({"content": "a"}), "content"),
        (chunk({"role": "assistant", "content": "a", "refusal": None, "tool_calls": []}), "content"),
        (chunk({"reasoning_content": "a", "content": None}), "reasoning_content"),
        (chunk({"reasoning": "a"}), "reasoning"),
        (chunk(call(arguments="{")), "arguments"),
        (chunk(call(arguments="{", name="f")), None),
        (chunk(call(arguments="")), None),
        (chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"arguments": "{"}}]}), None),
        (chunk({"tool_calls": [{"function": {"arguments": "{"}}]}), None),
        (chunk({"reasoning": "a", "reasoning_details": [{}]}), None),
        (chunk({"content": "a", "reasoning": "b"}), None),
        (chunk({"content": ["a"]}), None),
        (chunk({"content": ""}), None),
        (chunk({"content": "a"}, finish_reason="stop"), None),
        ({**chunk({"content": "a"}), "usage": {"total_tokens": 1}}, None),
        ({**chunk({"content": "a"}), "error": {"message": "x"}}, None),
        ({"choices": []}, None),
        ({"choices": [1]}, None),
        ([], None),
    ],
)
def test_which_chunks_add_to_one_string_only(chunk: object, slot: str | None) -> None:
    assert splice.plain_slot(chunk) == slot


@pytest.mark.parametrize("delta", [{"content": "a"}, call(arguments="a")])
def test_marks_the_string(delta: dict[str, object]) -> None:
    marked: dict[str, Any] = chunk(delta)
    splice.mark(marked, splice.plain_slot(marked) or "")
    assert msgspec.json.encode(marked) == msgspec.json.encode(chunk(delta)).replace(b'"a"', msgspec.json.encode(splice.SENTINEL))
