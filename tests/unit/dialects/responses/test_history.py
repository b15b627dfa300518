import msgspec
from msgspec import Raw

from trunkline.dialects.hub.conversation import (
    Audio,
    Block,
    Conversation,
    File,
    Image,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Turn,
    Video,
)
from trunkline.dialects.responses.demands import names_of
from trunkline.dialects.responses.history import History, call_id, with_one_system

FORMAT = "openai-responses-v1"


def items(*turns: Turn, breakpoints: bool = False, system_role: str = "system") -> list[dict[str, object]]:
    conversation = Conversation(turns=turns)
    history = History(conversation, names_of(conversation), formats=(FORMAT,), breakpoints=breakpoints, system_role=system_role)
    return msgspec.json.decode(msgspec.json.encode(history.items()))  # type: ignore[no-any-return]


def user(*blocks: Block, **fields: object) -> Turn:
    return Turn(role="user", blocks=blocks, **fields)  # type: ignore[arg-type]


def said(*blocks: Block, **fields: object) -> Turn:
    return Turn(role="assistant", blocks=blocks, **fields)  # type: ignore[arg-type]


def test_roles_are_the_dialects() -> None:
    turns = (
        Turn(role="system", blocks=(Text(text="s"),)),
        Turn(role="system", blocks=(Text(text="d"),), developer=True),
        user(Text(text="u")),
    )
    assert items(*turns) == [
        {"type": "message", "role": "system", "content": "s"},
        {"type": "message", "role": "developer", "content": "d"},
        {"type": "message", "role": "user", "content": "u"},
    ]
    assert [item["role"] for item in items(*turns, system_role="developer")] == ["developer", "developer", "user"]


def test_an_answer_keeps_the_order_of_its_parts() -> None:
    turn = said(
        Reasoning(kind="summary", text="s", format=FORMAT, id="rs_1"),
        Reasoning(kind="encrypted", data="ZQ==", format=FORMAT, id="rs_1"),
        Text(text="a"),
        Text(text="b", annotations=(Raw(b'{"type":"url_citation","url_citation":{"url":"u","title":"t","start_index":0,"end_index":1}}'),)),
        Refusal(text="no"),
        ToolCall(id="c1", name="f", arguments='{"a": 1}'),
        ToolCall(id="c2", name="g", arguments="ls", kind="custom"),
        phase="commentary",
    )
    results = (
        Turn(role="tool", blocks=(ToolResult(id="c1", blocks=(Text(text="r"),)),)),
        Turn(role="tool", blocks=(ToolResult(id="c2", blocks=(Text(text="x"), Image(url="http://i"))),)),
    )
    cited = {"type": "url_citation", "start_index": 0, "end_index": 1, "url": "u", "title": "t"}
    assert items(turn, *results) == [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": "ZQ=="},
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "a", "annotations": []},
                {"type": "output_text", "text": "b", "annotations": [cited]},
                {"type": "refusal", "refusal": "no"},
            ],
            "phase": "commentary",
        },
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "ls"},
        {"type": "function_call_output", "call_id": "c1", "output": "r"},
        {
            "type": "custom_tool_call_output",
            "call_id": "c2",
            "output": [{"type": "input_text", "text": "x"}, {"type": "input_image", "detail": "auto", "image_url": "http://i"}],
        },
    ]


def test_results_inside_a_users_turn_come_before_its_words() -> None:
    got = items(said(ToolCall(id="c", name="f")), user(ToolResult(id="c", is_error=True), Text(text="go on")))
    assert got == [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "Error"},
        {"type": "message", "role": "user", "content": "go on"},
    ]


def test_reasoning_goes_back_only_to_its_family() -> None:
    turn = said(
        Reasoning(text="hm", signature="c2ln", format="anthropic-claude-v1"),
        Reasoning(text="hm"),
        Reasoning(kind="encrypted", data="ZQ", format="xai-responses-v1", id="rs_x"),
        Text(text="a"),
    )
    assert [item["type"] for item in items(turn)] == ["message"]


def test_a_summary_alone_is_not_sent() -> None:
    assert [item["type"] for item in items(said(Reasoning(kind="summary", text="s", format=FORMAT, id="rs_1"), Text(text="a")))] == [
        "message"
    ]


def test_plain_text_of_the_family_is_sent() -> None:
    (item, _) = items(said(Reasoning(text="t1", format=FORMAT), Reasoning(text="t2", format=FORMAT), Text(text="a")))
    assert item == {
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "t1"}, {"type": "reasoning_text", "text": "t2"}],
    }


def test_encrypted_items_without_ids_stay_apart() -> None:
    def sealed(data: str) -> Reasoning:
        return Reasoning(kind="encrypted", data=data, format=FORMAT)

    got = items(said(sealed("1"), Reasoning(kind="summary", text="s", format=FORMAT), sealed("2"), sealed("3"), Text(text="a")))
    assert [(item.get("encrypted_content"), item.get("summary")) for item in got[:3]] == [
        ("1", []),
        ("2", [{"type": "summary_text", "text": "s"}]),
        ("3", []),
    ]


def test_reasoning_that_nothing_follows_is_left_out() -> None:
    alone = Reasoning(kind="encrypted", data="ZQ", format=FORMAT, id="rs_1")
    assert items(said(alone), user(Text(text="u"))) == [{"type": "message", "role": "user", "content": "u"}]
    assert items(said(alone)) == items(said(alone, Reasoning(kind="encrypted", data="Zg", format=FORMAT, id="rs_2"))) == []
    assert [item["type"] for item in items(said(alone), said(Text(text="a")))] == ["reasoning", "message"]
    opaque = Opaque(dialect="responses", raw=Raw(b'{"type":"web_search_call"}'))
    assert [item["type"] for item in items(said(alone, opaque))] == ["reasoning", "web_search_call"]


def test_media_are_parts() -> None:
    (message,) = items(
        user(
            Text(text=""),
            Image(data="AAAA", media_type="image/jpeg", detail="low"),
            Audio(data="AA", format="wav"),
            Video(url="http://v"),
            Video(data="AAAA", media_type="video/mp4"),
            File(filename="a.pdf", data="AAAA", media_type="application/pdf"),
            File(data="AAAA"),
            File(url="http://f"),
            File(file_id="file-1"),
            File(file_id="file-2", media_type="image/*"),
            File(filename="a.txt", text="plain"),
        )
    )
    assert message["content"] == [
        {"type": "input_image", "detail": "low", "image_url": "data:image/jpeg;base64,AAAA"},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        {"type": "input_video", "video_url": "http://v"},
        {"type": "input_video", "video_url": "data:video/mp4;base64,AAAA"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
        {"type": "input_file", "filename": "file", "file_data": "AAAA"},
        {"type": "input_file", "file_url": "http://f"},
        {"type": "input_file", "file_id": "file-1"},
        {"type": "input_image", "file_id": "file-2", "detail": "auto"},
        {"type": "input_text", "text": "a.txt\nplain"},
    ]


def test_pictures_of_an_assistant_follow_as_a_users() -> None:
    assert items(said(Text(text="here"), Image(url="http://i"))) == [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "here", "annotations": []}]},
        {"type": "message", "role": "user", "content": [{"type": "input_image", "detail": "auto", "image_url": "http://i"}]},
    ]


def test_names_of_speakers_go_into_the_text() -> None:
    assert items(user(Text(text="hi"), name="Ann"))[0]["content"] == "Ann: hi"
    assert items(user(Image(url="http://i"), name="Ann"))[0]["content"] == [
        {"type": "input_text", "text": "Ann:"},
        {"type": "input_image", "detail": "auto", "image_url": "http://i"},
    ]


def test_empty_turns_are_left_out() -> None:
    assert items(user(), user(Text(text="")), said(Text(text="")), said(Opaque(dialect="messages", raw=Raw(b"{}")))) == []


def test_cache_marks_are_written_only_where_asked() -> None:
    turn = user(Text(text="a", cache="5m"), Image(url="http://i", cache="1h"))
    assert items(turn)[0]["content"][0] == {"type": "input_text", "text": "a"}  # type: ignore[index]
    marked = items(turn, breakpoints=True)[0]["content"]
    assert [part["prompt_cache_breakpoint"] for part in marked] == [{"mode": "explicit"}] * 2  # type: ignore[attr-defined]


def test_ids_keep_within_the_limit() -> None:
    long = "resp_" + "a" * 80 + ":call_0"
    assert call_id("toolu_01-x.y:z") == "toolu_01-x.y:z"
    assert len(call_id(long)) <= 64
    assert call_id(long) != call_id(long.replace("call_0", "call_1"))
    call, result = items(said(ToolCall(id=long, name="f")), Turn(role="tool", blocks=(ToolResult(id=long),)))
    assert call["call_id"] == result["call_id"] == call_id(long)


def test_system_turns_can_be_made_one() -> None:
    def system(text: str) -> Turn:
        return Turn(role="system", blocks=(Text(text=text),))

    talk = Conversation(turns=(user(Text(text="u")), system("a"), said(Text(text="x")), system("b")))
    assert with_one_system(talk).turns == (system("a\n\nb"), user(Text(text="u")), said(Text(text="x")))
    for fine in (Conversation(turns=(user(),)), Conversation(turns=(system("a"), user())), Conversation(turns=())):
        assert with_one_system(fine) is fine
