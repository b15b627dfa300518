from typing import Any

import msgspec
import pytest

from trunkline.catalogue.openrouter_feed import printable, read
from trunkline.errors import ConfigError

ROW: dict[str, Any] = {
    "id": "acme/echo-1",
    "canonical_slug": "acme/echo-1-20260101",
    "hugging_face_id": "",
    "name": "Acme: Echo 1",
    "created": 1767225600,
    "description": "It repeats\nwhat it hears.",
    "context_length": 128000,
    "architecture": {"input_modalities": ["text", "smell"], "output_modalities": ["text"], "tokenizer": "Klingon", "instruct_type": None},
    "pricing": {"prompt": "0.000001", "completion": "0.000002", "input_cache_read": "0.00000008333333333333334", "discount": 0},
    "top_provider": {"context_length": 64000, "max_completion_tokens": None, "is_moderated": True},
    "supported_parameters": ["tools", "telepathy", "temperature"],
    "expiration_date": None,
    "knowledge_cutoff": None,
    "links": {"details": "/x"},
}


def text(*rows: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"data": rows})


def test_a_row() -> None:
    feed = read(text(ROW), "list.json", "shop")
    row = feed.rows["shop", "acme/echo-1"]
    assert (feed.providers, feed.skipped, feed.complete) == ({"shop"}, 0, True)
    assert row.rates == {"prompt": 1_000_000, "completion": 2_000_000, "input_cache_read": 83_333}
    assert (row.context_length, row.max_completion_tokens, row.overrides) == (64000, None, None)
    assert row.supported_parameters == ("tools", "temperature")


def test_the_model_of_a_row_has_only_known_words() -> None:
    model = read(text(ROW), "list.json", "shop").rows["shop", "acme/echo-1"].model
    assert model == {
        "id": "acme/echo-1",
        "name": "Acme: Echo 1",
        "canonical_slug": "acme/echo-1-20260101",
        "created": 1767225600,
        "description": "It repeats\nwhat it hears.",
        "context_length": 128000,
        "input_modalities": ("text",),
        "output_modalities": ("text",),
        "is_moderated": True,
        "sources": ("OpenRouter model list, synced",),
    }


def test_tiers() -> None:
    tier = {"min_prompt_tokens": 200000, "prompt": "0.000002", "discount": "1"}
    feed = read(text({**ROW, "pricing": {**ROW["pricing"], "overrides": [tier]}}), "list.json", "shop")
    assert feed.rows["shop", "acme/echo-1"].overrides == ({"min_prompt_tokens": 200000, "prompt": 2_000_000},)


def test_aliases_and_routers_are_skipped() -> None:
    router = {**ROW, "id": "acme/auto", "pricing": {"prompt": "-1", "completion": "-1"}}
    feed = read(text(ROW, {**ROW, "id": "~acme/echo-latest"}, router), "list.json", "shop")
    assert (len(feed.rows), feed.skipped) == (1, 2)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"pricing": {"prompt": "0.1", "completion": "-0.1"}}, r"data\[0\].pricing.completion: '-0.1' is no price"),
        ({"pricing": {"prompt": "-2", "completion": "0"}}, r"data\[0\].pricing.prompt: '-2' is no price"),
        ({"pricing": {"prompt": "0.1"}}, r"data\[0\].pricing.completion: missing"),
        ({"pricing": {"prompt": 0.1, "completion": "0"}}, r"data\[0\].pricing.prompt: a price is text"),
        ({"pricing": {"prompt": "9" * 65, "completion": "0"}}, r"at `\$.data\[0\].pricing"),
        ({"pricing": "free"}, r"Expected `object`, got `str` - at `\$.data\[0\].pricing"),
        ({"name": "x" * 10_000}, r"length <= 256 - at `\$.data\[0\].name"),
        ({"id": "../../etc/passwd"}, r"data\[0\].id: .* is not a model slug"),
        ({"id": "acme/x\x1b[2J"}, r"data\[0\].id: .* is not a model slug"),
        ({"context_length": -1}, r">= 0 - at `\$.data\[0\].context_length"),
        ({"context_length": "many"}, r"data\[0\].context_length"),
        ({"supported_parameters": ["x"] * 101}, r"data\[0\].supported_parameters"),
    ],
)
def test_one_bad_row_spoils_the_list(change: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected) as caught:
        read(text({**ROW, **change}), "list.json", "shop")
    assert str(caught.value).startswith("list.json: ")
    assert len(str(caught.value)) < 500


def test_a_model_is_listed_once() -> None:
    with pytest.raises(ConfigError, match=r"data\[1\].id: acme/echo-1 is listed twice"):
        read(text(ROW, ROW), "list.json", "shop")


def test_names_cannot_steer_a_terminal() -> None:
    assert printable("a\x1b[31mb\r\nc\x7f\u202e") == "a [31mb  c"
