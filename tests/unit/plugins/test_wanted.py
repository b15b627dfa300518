"""The plugins of a request."""

from typing import Any

import msgspec
import pytest

from trunkline.dialects.chat import request as chat
from trunkline.dialects.messages import request as messages
from trunkline.dialects.responses import request as responses
from trunkline.errors import ApiError
from trunkline.plugins.wanted import NOTHING, CompressionOptions, FileParserOptions, HealingOptions, PdfOptions, Wanted, asks, wanted
from trunkline.protocol.request import InboundRequest

CHAT = {"model": "a/m", "messages": [{"role": "user", "content": "hi"}]}


def request(**fields: Any) -> InboundRequest:
    return chat.parse(msgspec.json.encode({**CHAT, **fields}))


def plugins(*entries: dict[str, Any]) -> Wanted:
    return wanted(request(plugins=list(entries)))


def refusal(*entries: Any) -> str:
    with pytest.raises(ApiError) as told:
        plugins(*entries)
    assert told.value.error_type == "invalid_request"
    return told.value.message


def test_most_requests_ask_for_nothing() -> None:
    assert not asks(request())
    assert wanted(request()) is NOTHING
    assert wanted(request(plugins=[], transforms=None)) is NOTHING


@pytest.mark.parametrize("fields", [{"plugins": []}, {"transforms": []}])
def test_a_request_that_names_any_is_looked_at(fields: dict[str, Any]) -> None:
    assert asks(request(**fields))


def test_so_is_one_with_a_file() -> None:
    part = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}}
    assert asks(request(messages=[{"role": "user", "content": [part]}]))


def test_the_examples_of_the_specification() -> None:
    assert plugins({"id": "file-parser", "enabled": True, "pdf": {"engine": "cloudflare-ai"}}) == Wanted(
        file_parser=FileParserOptions(enabled=True, pdf=PdfOptions("cloudflare-ai"))
    )
    assert plugins({"id": "context-compression", "enabled": True, "engine": "middle-out"}) == Wanted(
        compression=CompressionOptions(enabled=True, engine="middle-out")
    )
    assert plugins({"id": "response-healing"}) == Wanted(healing=HealingOptions())


def test_of_two_entries_the_later_counts() -> None:
    found = plugins({"id": "response-healing"}, {"id": "response-healing", "enabled": False})
    assert found.healing == HealingOptions(enabled=False)


def test_the_older_word_for_compression() -> None:
    assert wanted(request(transforms=["middle-out"])).compression == CompressionOptions(enabled=True)
    assert wanted(request(transforms=[])).compression == CompressionOptions(enabled=False)
    both = request(transforms=["middle-out"], plugins=[{"id": "context-compression", "enabled": False}])
    assert wanted(both).compression == CompressionOptions(enabled=False)


def test_all_dialects_have_them() -> None:
    named = {"plugins": [{"id": "response-healing"}]}
    for parsed in (
        messages.parse(msgspec.json.encode({**CHAT, "max_tokens": 5, **named})),
        responses.parse(msgspec.json.encode({"model": "a/m", "input": "hi", **named})),
    ):
        assert asks(parsed)
        assert wanted(parsed).healing == HealingOptions()


@pytest.mark.parametrize("name", ["auto-router", "auto-beta-router", "pareto-router", "moderation"])
def test_plugins_that_others_read_pass(name: str) -> None:
    assert plugins({"id": name, "allowed_models": ["a/*"]}) is NOTHING


@pytest.mark.parametrize("name", ["web", "web-fetch", "fusion"])
def test_plugins_that_are_not_here_are_not_ignored(name: str) -> None:
    assert f"plugins[0].id: This server has no plugin '{name}'" in refusal({"id": name})
    assert plugins({"id": name, "enabled": False}) is NOTHING


def test_what_is_wrong_is_named_with_its_place() -> None:
    assert refusal({"id": "response-healing"}, {"id": "nonsense"}) == "plugins[1].id: There is no plugin 'nonsense'"
    assert refusal({"enabled": True}).startswith("plugins[0]: ")
    assert "engine" in refusal({"id": "file-parser", "pdf": {"engine": "acrobat"}})
    assert "enabled" in refusal({"id": "response-healing", "enabled": "yes"})
