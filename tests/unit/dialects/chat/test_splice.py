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


def run(template: splice.Template, *payloads: bytes) -> tuple[list[bytes], list[str]]:
    out: list[bytes] = []
    return out, template.run(payloads, 0, out)


def test_copies_the_string_and_decodes_it() -> None:
    assert run(learned(EVENT), EVENT.replace(b"Hi", b'a\\"\\u0062')) == ([b'<a\\"\\u0062|a\\"\\u0062>'], ['a"b'])


def test_padding_may_vary() -> None:
    template = learned(PADDED)
    assert run(template, PADDED.replace(b"aZ9", b"").replace(b"Hi", b"Ho"))[1] == ["Ho"]
    assert run(template, PADDED.replace(b"aZ9", b'","x":"'))[1] == []
    assert run(template, EVENT)[1] == []


def test_stops_at_the_first_payload_that_does_not_fit() -> None:
    other = EVENT.replace(b'"x"', b'"y"')
    assert run(learned(EVENT), EVENT, EVENT, other, EVENT)[1] == ["Hi", "Hi"]


@pytest.mark.parametrize(
    "inside",
    [b"", b'a","role":"b', b"a\\", b"\xff", b"a\nb", b"\\ud800", b'"', b'x"},"finish_reason":"stop"}],"a":{"b":"c'],
)
def test_refuses_what_is_not_the_inside_of_one_string(inside: bytes) -> None:
    assert run(learned(EVENT), EVENT.replace(b"Hi", inside))[1] == []
    assert run(learned(PADDED), PADDED.replace(b"Hi", inside))[1] == []


@pytest.mark.parametrize(
    "event",
    [
        b'{"content":"a","x":{"content":"b"}}',
        b'{"content":null}',
        b'{"text":"content"}',
        b'{"obfuscation":"a","content":"b"}',
        b'{"content":"a","obfuscation":"b","x":{"obfuscation":"c"}}',
    ],
)
def test_does_not_cut_where_the_key_is_not_certain(event: bytes) -> None:
    assert splice.cut(event, "content") is None


def test_probe_is_the_event_with_a_sentinel() -> None:
    cut = splice.cut(b'{ "content" :  "a\\"b", "x":1}', "content")
    assert cut is not None
    assert msgspec.json.decode(cut.probe()) == {"content": splice.SENTINEL, "x": 1}
    assert splice.template(cut, "content", b"nothing of it") is None


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
