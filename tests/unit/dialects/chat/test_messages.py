import msgspec
import pytest

from trunkline.dialects.chat.messages import Message, Survey, survey
from trunkline.errors import ApiError


def surveyed(*messages: dict[str, object]) -> Survey:
    return survey(msgspec.json.decode(msgspec.json.encode(messages), type=list[Message]))


def test_counts_text_bytes_but_no_media() -> None:
    parts = [{"type": "text", "text": "né"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 9000}}]
    seen = surveyed({"role": "system", "content": "abc"}, {"role": "user", "content": parts})
    assert seen.text_bytes == 3 + 3
    assert seen.modalities == {"image"}


@pytest.mark.parametrize(
    ("part", "modality"),
    [
        ({"type": "image_url", "image_url": "https://x/y.png"}, "image"),
        ({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:"}}, "file"),
        ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, "audio"),
        ({"type": "video_url", "video_url": {"url": "https://x"}}, "video"),
        ({"type": "input_video", "input_video": {"anything": 1}}, "video"),
    ],
)
def test_names_modalities(part: dict[str, object], modality: str) -> None:
    assert surveyed({"role": "user", "content": [part]}).modalities == {modality}


def test_counts_past_calls_and_notes_traits() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "abc", "arguments": '{"x":1}'}}
    seen = surveyed(
        {"role": "user", "content": ""},
        {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_details": []},
        {"role": "tool", "tool_call_id": "c", "content": "42"},
    )
    assert seen.text_bytes == len("abc") + len('{"x":1}') + len("42")
    assert seen.traits == {"user", "assistant", "tool", "calls", "reasoning"}


def test_plain_history_has_only_roles_for_traits() -> None:
    assert surveyed({"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}).traits == {"user", "assistant"}


@pytest.mark.parametrize("role", ["system", "developer", "user", "tool"])
@pytest.mark.parametrize("content", [{}, {"content": None}])
def test_only_an_assistant_may_have_no_content(role: str, content: dict[str, object]) -> None:
    assert surveyed({"role": "assistant", **content}).text_bytes == 0
    with pytest.raises(ApiError, match=r"messages\[1\]\.content"):
        surveyed({"role": "user", "content": "x"}, {"role": role, **content})
