"""Files in requests, through the whole pipeline (contract 2.10, 9.3)."""

import base64
import hashlib
from typing import Any

import msgspec
import pdfs
import pytest
from pipelines import answer, served, stream, words
from staged_bench import Pages, PluginBench, annotations, model

from trunkline.dialects.hub.conversation import Conversation, File
from trunkline.errors import UpstreamRefused
from trunkline.inference.skins import MESSAGES, RESPONSES
from trunkline.plugins.pdf.job import Picture, Unreadable
from trunkline.plugins.pdf.parser import Parsed

PDF = pdfs.pdf("One.", "Two.")
HASH = hashlib.sha256(PDF).hexdigest()
DATA = "data:application/pdf;base64," + base64.b64encode(PDF).decode()
PNG = b"\x89PNG\r\n\x1a\n"
BODY = "--- Page 1 of 2 ---\nOne.\n\n--- Page 2 of 2 ---\nTwo."
PARTS = [
    {"type": "text", "text": '<file name="a.pdf">'},
    {"type": "text", "text": BODY},
    {"type": "text", "text": "</file>"},
]
READ = f'What is in it?\n<file name="a.pdf">\n{BODY}\n</file>'
ANNOTATION = {"type": "file", "file": {"hash": HASH, "name": "a.pdf", "content": PARTS}}


def asked(data: str = DATA, name: str = "a.pdf") -> list[dict[str, Any]]:
    """The messages of a request with a file."""
    file = {"type": "file", "file": {"filename": name, "file_data": data}}
    return [{"role": "user", "content": [{"type": "text", "text": "What is in it?"}, file]}]


def plugin(engine: str | None = None, **more: Any) -> list[dict[str, Any]]:
    return [{"id": "file-parser", **({"pdf": {"engine": engine}} if engine else {}), **more}]


def sent(bench: PluginBench, place: int = 0) -> Any:
    """The content of the first message that went upstream: one text where there is nothing but text."""
    return bench.sent[place]["messages"][0]["content"]


@pytest.mark.parametrize("engine", [None, "cloudflare-ai", "pdf-text"])
def test_a_model_that_takes_no_files_gets_text_and_the_client_the_annotation(engine: str | None) -> None:
    bench = PluginBench(answer())
    outcome = bench.ask(messages=asked(), **({"plugins": plugin(engine)} if engine else {}))
    assert sent(bench) == READ
    assert annotations(outcome) == [ANNOTATION]
    assert bench.engine.files == [PDF]
    assert "plugins" not in bench.sent[0]


def test_the_same_file_is_read_once_and_told_again() -> None:
    bench = PluginBench(answer(), answer())
    bench.ask(messages=asked())
    outcome = bench.ask(messages=asked(name="b.pdf"))
    assert len(bench.engine.files) == 1
    assert annotations(outcome)[0]["file"]["name"] == "b.pdf"


def test_an_annotation_sent_back_spares_the_reading_and_is_not_told_again() -> None:
    bench = PluginBench(answer())
    replayed = msgspec.json.decode(msgspec.json.encode(ANNOTATION).replace(b"One.", b"Mine."))
    history = [*asked(), {"role": "assistant", "content": "Numbers.", "annotations": [replayed]}, {"role": "user", "content": "Which?"}]
    outcome = bench.ask(messages=history)
    assert bench.engine.files == []
    assert "Mine." in sent(bench)
    assert annotations(outcome) == []
    assert "annotations" not in bench.sent[0]["messages"][1]


def test_an_annotation_of_another_file_spares_nothing() -> None:
    bench = PluginBench(answer())
    other = {"type": "file", "file": {**ANNOTATION["file"], "hash": "0" * 64}}  # type: ignore[dict-item]
    bench.ask(messages=[*asked(), {"role": "assistant", "content": "x", "annotations": [other]}, {"role": "user", "content": "?"}])
    assert bench.engine.files == [PDF]


def test_a_model_that_takes_files_gets_the_file_unless_the_caller_says_otherwise() -> None:
    takes = [model("a/m", "file")]
    bench = PluginBench(answer(), answer(), answer(), models=takes)
    outcome = bench.ask(messages=asked())
    assert sent(bench) == asked()[0]["content"]
    assert annotations(outcome) == [] and bench.engine.files == []
    bench.ask(messages=asked(), plugins=plugin("native"))
    assert sent(bench, 1) == asked()[0]["content"]
    bench.ask(messages=asked(), plugins=plugin("cloudflare-ai"))
    assert sent(bench, 2) == READ


def test_the_parser_switched_off_leaves_files_alone() -> None:
    bench = PluginBench(answer())
    bench.ask(messages=asked(), plugins=plugin(enabled=False))
    assert sent(bench) == asked()[0]["content"]


def test_native_for_a_model_that_takes_none_is_refused() -> None:
    outcome = PluginBench().ask(messages=asked(), plugins=plugin("native"))
    assert outcome.error is not None and outcome.error.error_type == "invalid_request"
    assert "cloudflare-ai" in outcome.error.message


def test_an_engine_that_the_operator_has_not_set_up_is_refused_by_name() -> None:
    outcome = PluginBench().ask(messages=asked(), plugins=plugin("mistral-ocr"))
    assert outcome.error is not None and outcome.error.status == 400
    assert "mistral-ocr" in outcome.error.message


def test_an_engine_that_is_set_up_reads() -> None:
    ocr = Pages(Parsed(("Scanned.",)))
    bench = PluginBench(answer(), engines={"cloudflare-ai": Pages(), "mistral-ocr": ocr})
    bench.ask(messages=asked(), plugins=plugin("mistral-ocr"))
    assert ocr.files == [PDF]
    assert "Scanned." in sent(bench)


def test_a_stream_tells_the_annotations_with_its_first_words() -> None:
    bench = PluginBench(stream(*words("Num", "bers.")))
    outcome = bench.ask(messages=asked(), stream=True)
    told = [choice["delta"]["annotations"] for chunk in outcome.events for choice in chunk["choices"] if "annotations" in choice["delta"]]
    assert told == [[ANNOTATION]]
    assert outcome.text == "Numbers."
    assert outcome.body.endswith(b"data: [DONE]\n\n")


def test_pictures_go_only_to_models_that_see_and_no_more_than_eight() -> None:
    pages = Pages(Parsed(("",) * 9, tuple(Picture(number, PNG) for number in range(1, 10))))
    bench = PluginBench(
        answer(),
        answer(),
        endpoints=[served("one"), served("two", model="a/eyes")],
        engines={"cloudflare-ai": pages},
        models=[model("a/eyes", "image")],
    )
    bench.ask(messages=asked())
    assert isinstance(sent(bench), str)
    bench.ask(model="a/eyes", messages=asked())
    assert [part["type"] for part in sent(bench, 1)].count("image_url") == 8


def test_when_every_provider_fails_the_error_holds_what_was_read() -> None:
    bench = PluginBench(UpstreamRefused("caller_fault", "no", status=400), UpstreamRefused("caller_fault", "no", status=400))
    outcome = bench.ask(messages=asked())
    assert outcome.error is not None and outcome.error.metadata is not None
    assert outcome.error.metadata["file_annotations"] == [ANNOTATION]


@pytest.mark.parametrize(
    ("reason", "error_type"), [("damaged", "invalid_request"), ("busy", "provider_overloaded"), ("bytes", "payload_too_large")]
)
def test_a_file_that_cannot_be_read_is_named(reason: Any, error_type: str) -> None:
    bench = PluginBench()
    bench.engine.found = Unreadable(reason)
    outcome = bench.ask(messages=asked())
    assert outcome.error is not None and outcome.error.error_type == error_type
    assert "'a.pdf'" in outcome.error.message
    assert bench.ledgers.records == []


def test_data_that_is_no_base64_is_refused() -> None:
    outcome = PluginBench().ask(messages=asked("data:application/pdf;base64,###"))
    assert outcome.error is not None and outcome.error.error_type == "invalid_request"


def test_a_file_by_url_is_loaded_first() -> None:
    async def load(conversation: Conversation) -> Conversation:
        turn = conversation.turns[0]
        [text, file] = turn.blocks
        assert isinstance(file, File) and file.url == "https://files.test/a.pdf"
        loaded = msgspec.structs.replace(file, url=None, data=base64.b64encode(PDF).decode(), media_type="application/pdf")
        return msgspec.structs.replace(conversation, turns=(msgspec.structs.replace(turn, blocks=(text, loaded)),))

    bench = PluginBench(answer(), load=load)
    outcome = bench.ask(messages=asked("https://files.test/a.pdf"))
    assert sent(bench) == READ
    assert annotations(outcome) == [ANNOTATION]


def test_a_fallback_that_takes_files_gets_the_file_and_the_answer_no_annotation() -> None:
    endpoints = [served("one"), served("two", model="a/files")]
    bench = PluginBench(UpstreamRefused("server", "down", status=500), answer(), endpoints=endpoints, models=[model("a/files", "file")])
    outcome = bench.ask(messages=asked(), models=["a/m", "a/files"])
    assert sent(bench) == READ
    assert sent(bench, 1) == asked()[0]["content"]
    assert annotations(outcome) == []


def test_what_was_read_counts_for_the_prompt() -> None:
    bench = PluginBench(answer(usage=None))
    bench.engine.found = Parsed(("word " * 1000,))
    bench.ask(messages=asked())
    assert bench.record.input_tokens > 1000


def test_a_request_without_files_and_plugins_passes_through_byte_for_byte() -> None:
    bench = PluginBench(answer())
    bench.ask(messages=[{"role": "user", "content": "hi", "odd": 1}])
    assert bench.sent[0]["messages"] == [{"role": "user", "content": "hi", "odd": 1}]


OTHER_DIALECTS = [
    (RESPONSES, {"input": [{"role": "user", "content": [{"type": "input_file", "filename": "a.pdf", "file_data": DATA}]}]}),
    (
        MESSAGES,
        {
            "max_tokens": 99,
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "document",
                            "title": "a.pdf",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": DATA.partition(",")[2]},
                        }
                    ],
                }
            ],
        },
    ),
]


@pytest.mark.parametrize(("skin", "body"), OTHER_DIALECTS)
@pytest.mark.parametrize("streamed", [False, True])
def test_other_dialects_send_files_too_and_have_no_place_for_annotations(skin: Any, body: dict[str, Any], streamed: bool) -> None:
    bench = PluginBench(stream(*words("x")) if streamed else answer("x"))
    outcome = bench.request({"model": "a/m", **body, "stream": streamed}, skin=skin)
    assert outcome.error is None and outcome.status == 200
    assert sent(bench) == READ.partition("\n")[2]
    assert HASH.encode() not in outcome.body
