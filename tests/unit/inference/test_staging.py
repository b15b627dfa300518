"""Which stages a request needs. The whole way is tested in tests/integration/plugins."""

import asyncio
import base64
from typing import Any

import msgspec
import pytest
from endpoints import endpoint
from msgspec import structs
from staged_bench import Pages, as_it_is, model

from trunkline.catalogue.catalogue import Catalogue
from trunkline.dialects.hub.conversation import Conversation, File, Image, Turn
from trunkline.errors import ApiError
from trunkline.inference.call import Call, Mint
from trunkline.inference.skins import CHAT
from trunkline.inference.staging import Begun, Staging, file_loader
from trunkline.metering.estimates import Estimates
from trunkline.plugins.pdf.parser import Parsed
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.routing import Exclusion, Plan
from trunkline.transport.fake import FakeClient, FakeReply

PDF = "data:application/pdf;base64," + base64.b64encode(b"%PDF-x").decode()
FILE = [{"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}}]}]
HEAL = [{"id": "response-healing"}]
COMPRESS = [{"id": "context-compression"}]
PLAIN = structs.replace(endpoint("one"), model="a/plain", context_length=1000)
READER = structs.replace(endpoint("two"), model="a/reader", context_length=100_000)


def catalogue() -> Catalogue:
    models = [model("a/plain"), model("a/reader", "file")]
    return Catalogue(models=models, endpoints=[PLAIN, READER], providers={}, authors={}, missing={})


def call(**fields: Any) -> Call:
    body = {"model": "a/plain", "messages": [{"role": "user", "content": "hi"}], **fields}
    return Call({}, msgspec.json.encode(body), Mint(), CHAT)


def staging(engine: Pages | None = None) -> Staging:
    return Staging(catalogue, Estimates(), {"cloudflare-ai": engine or Pages()}, as_it_is)


def begin(*candidates: Endpoint, engine: Pages | None = None, **fields: Any) -> Begun:
    one = call(**fields)
    return asyncio.run(staging(engine).begin(one, CHAT.parse(one.body), [(endpoint,) for endpoint in candidates or (PLAIN,)]))


@pytest.mark.parametrize(
    "fields",
    [
        {"plugins": []},
        {"plugins": HEAL},
        {"plugins": HEAL, "stream": True, "response_format": {"type": "json_object"}},
        {"plugins": [{"id": "file-parser"}]},
        {"messages": FILE, "plugins": [{"id": "file-parser", "enabled": False}]},
    ],
)
def test_requests_that_need_no_stage_have_none(fields: dict[str, Any]) -> None:
    assert begin(**fields) == Begun(None, [(PLAIN,)])


def test_healing_is_for_whole_answers_in_json() -> None:
    begun = begin(plugins=HEAL, response_format={"type": "json_object"})
    assert begun.staged is not None and begun.staged.edits(begun.staged.base, PLAIN)


def test_files_are_read_once_for_all_and_counted() -> None:
    engine = Pages(Parsed(("word " * 100,)))
    begun = begin(PLAIN, READER, messages=FILE, engine=engine)
    staged = begun.staged
    assert staged is not None and staged.more_bytes > 500
    assert engine.files == [b"%PDF-x"]
    assert staged.edits(staged.base, PLAIN) and not staged.edits(staged.base, READER)


def test_files_are_not_read_where_every_model_takes_them() -> None:
    engine = Pages()
    assert begin(READER, messages=FILE, engine=engine).staged is None
    assert engine.files == []


def test_native_keeps_the_models_that_take_files() -> None:
    native = [{"id": "file-parser", "pdf": {"engine": "native"}}]
    assert begin(PLAIN, READER, messages=FILE, plugins=native) == Begun(None, [(READER,)])
    with pytest.raises(ApiError, match="reads files itself"):
        begin(PLAIN, messages=FILE, plugins=native)


def test_compression_keeps_endpoints_with_room_for_half_and_counts_what_remains() -> None:
    long = [{"role": "user", "content": "x" * 16_000}]
    begun = begin(PLAIN, READER, messages=long, plugins=COMPRESS)
    assert begun.candidates == [(READER,)]
    assert begun.staged is not None and begun.staged.most_tokens == 100_000
    assert begin(PLAIN, messages=long, plugins=COMPRESS).candidates == [(PLAIN,)]


def rescued(*excluded: Exclusion, **fields: Any) -> Begun | None:
    one, begun = call(**fields), begin(**fields)
    return staging().rescue(one, CHAT.parse(one.body), Plan((), excluded), begun.staged)


def test_a_request_too_long_for_all_is_compressed_for_the_small() -> None:
    begun = rescued(Exclusion(PLAIN, "context_length", "prompt"), Exclusion(READER, "context_length", "prompt"))
    assert begun is not None and begun.candidates == [(PLAIN,)]
    assert begun.staged is not None and begun.staged.most_tokens == 1000


def test_what_was_staged_stays_when_it_is_compressed_too() -> None:
    begun = rescued(Exclusion(PLAIN, "context_length", "prompt"), messages=FILE)
    assert begun is not None and begun.staged is not None
    assert begun.staged.more_bytes > 0 and begun.staged.edits(begun.staged.base, PLAIN)


@pytest.mark.parametrize(
    ("exclusion", "fields"),
    [
        (Exclusion(READER, "context_length", "prompt"), {}),
        (Exclusion(PLAIN, "context_length", "max_tokens"), {}),
        (Exclusion(PLAIN, "max_price", "max_price"), {}),
        (Exclusion(PLAIN, "context_length", "prompt"), {"plugins": [{"id": "context-compression", "enabled": False}]}),
        (Exclusion(PLAIN, "context_length", "prompt"), {"plugins": COMPRESS}),
    ],
)
def test_nothing_else_is_rescued(exclusion: Exclusion, fields: dict[str, Any]) -> None:
    assert rescued(exclusion, **fields) is None


def test_only_documents_over_http_are_loaded() -> None:
    client = FakeClient(FakeReply(200, {"content-type": "application/pdf"}, [b"%PDF-x"]))
    blocks = (File(url="http://127.0.0.1:9/a.pdf"), File(url="gs://b/a.pdf"), Image(url="https://x.test/a.png"))
    conversation = Conversation(turns=(Turn(role="user", blocks=blocks),))
    with pytest.raises(ApiError, match="could not be loaded"):
        asyncio.run(file_loader(client)(conversation))
    others = Conversation(turns=(Turn(role="user", blocks=blocks[1:]),))
    assert asyncio.run(file_loader(client)(others)) is others
    assert client.sent == []


def test_prompts_for_pictures_are_never_compressed() -> None:
    """Contract 4.2: not for models that make nothing but images."""
    painter = structs.replace(PLAIN, model="a/painter")
    painting = structs.replace(model("a/painter"), output_modalities=("image",))
    known = Catalogue(models=[painting, model("a/plain")], endpoints=[painter, PLAIN], providers={}, authors={}, missing={})
    stages = Staging(lambda: known, Estimates(), {}, as_it_is)
    long = call(messages=[{"role": "user", "content": "x" * 16_000}], plugins=COMPRESS)
    begun = asyncio.run(stages.begin(long, CHAT.parse(long.body), [(painter,)]))
    assert begun == Begun(None, [(painter,)])
    assert asyncio.run(stages.begin(long, CHAT.parse(long.body), [(painter,), (PLAIN,)])).staged is not None
    plain = call(messages=[{"role": "user", "content": "x" * 16_000}])
    left_out = (Exclusion(painter, "context_length", "prompt"),)
    assert stages.rescue(plain, CHAT.parse(plain.body), Plan((), left_out), None) is None
