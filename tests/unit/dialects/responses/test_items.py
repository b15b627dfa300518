import msgspec
import pytest
from msgspec import Raw

from trunkline.dialects.responses.items import (
    CallOutput,
    CustomCall,
    Foreign,
    FunctionCall,
    ImagePart,
    Item,
    Message,
    ReasoningItem,
    TextPart,
    read_input,
    survey,
)
from trunkline.errors import ApiError


def read(*items: object) -> list[Item]:
    given = read_input(Raw(msgspec.json.encode(items)))
    assert not isinstance(given, str)
    return given


def refused(value: object) -> str:
    with pytest.raises(ApiError) as caught:
        read_input(Raw(msgspec.json.encode(value)))
    assert caught.value.status == 400
    return caught.value.message


def test_input_may_be_text() -> None:
    assert read_input(Raw(b'"hi"')) == "hi"


def test_items_are_told_apart_by_type() -> None:
    foreign = {"type": "web_search_call", "id": "ws_1", "action": {"type": "search"}, "output": [1]}
    got = read(
        {"role": "user", "content": "a"},
        {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "content": [], "phase": "commentary"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}", "id": "fc_1", "status": "completed"},
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "r"}]},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "ls"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "r"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "ZQ"},
        foreign,
        {"type": "openrouter:datetime", "datetime": "now"},
    )
    assert [type(item) for item in got] == [
        *(Message, Message, FunctionCall, CallOutput, CustomCall, CallOutput, ReasoningItem, Foreign, Foreign)
    ]
    assert isinstance(got[7], Foreign)
    assert msgspec.json.decode(got[7].raw) == foreign
    assert isinstance(got[1], Message)
    assert got[1].phase == "commentary"


def test_parts_are_read() -> None:
    (message,) = read({"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "http://x"}]})
    assert isinstance(message, Message)
    assert message.content == [TextPart(text="a"), ImagePart(image_url="http://x")]


@pytest.mark.parametrize(
    ("items", "told"),
    [
        (3, "input: Expected"),
        ([], "input: Expected at least one item"),
        (["a"], "input[0]: Expected `object`".replace("`", "")),
        ([{}], "input[0]: Expected an object with type or role"),
        ([{"type": "item_reference", "id": "msg_1"}], "input[0]: Nothing is stored here"),
        ([{"role": "user", "content": "a"}, {"role": "robot", "content": "a"}], "input[1].role: "),
        ([{"role": "user", "content": [{"type": "input_text"}]}], "input[0].content[0]: "),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}], "input[0].content[0].type: "),
        ([{"type": "function_call", "name": "f", "arguments": "{}"}], "input[0]: Object missing required field call_id"),
        ([{"type": "function_call", "call_id": "c", "name": "f", "arguments": {}}], "input[0].arguments: "),
        ([{"type": "function_call_output", "call_id": "c"}], "input[0]: Object missing required field output"),
        ([{"type": "function_call_output", "call_id": "c", "output": 3}], "input[0].output: "),
    ],
)
def test_an_error_names_the_place(items: object, told: str) -> None:
    assert refused(items).startswith(told)


@pytest.mark.parametrize("raw", [b'"\xff"', b'[{"role":"user","content":"\xff"}]'])
def test_text_that_is_no_utf8_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError, match="input: Not UTF-8"):
        read_input(Raw(raw))


def test_a_survey_counts_text_and_modalities() -> None:
    seen = survey(
        read(
            {"role": "user", "content": "äb"},
            {"role": "user", "content": [{"type": "input_text", "text": "abc"}, {"type": "input_file", "file_data": "data:x;base64,AAAA"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "image_url": "http://x"}]},
            {
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": "s"}],
                "content": [{"type": "reasoning_text", "text": "tt"}],
            },
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}]},
            {"role": "user", "content": [{"type": "input_video", "video_url": "http://v"}]},
        )
    )
    assert seen.text_bytes == 3 + 3 + 2 + 3 + 3
    assert seen.modalities == {"file", "image", "audio", "video"}
