"""The prices of operations beside chat against LiteLLM's list, where `make bench-peers` has installed it: it has units that others lack."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.load import load
from trunkline.protocol.catalogue import Endpoint, Pricing

PEERS = Path(__file__).parents[3] / ".bench-peers" / "litellm"
LIST = next(PEERS.glob("lib/python3*/site-packages/litellm/model_prices_and_context_window_backup.json"), None)

pytestmark = pytest.mark.skipif(LIST is None, reason="LiteLLM's price list is not at hand")

Row = Mapping[str, object]

PREFIXES = {
    "cohere": ("cohere/", ""),
    "elevenlabs": ("elevenlabs/",),
    "google-ai-studio": ("gemini/",),
    "groq": ("groq/",),
    "jina": ("",),
    "mistral": ("mistral/",),
    "nebius": ("nebius/",),
    "openai": ("",),
    "voyageai": ("voyage/",),
}
"""What stands before the upstream's name there."""

KEYS = {
    "request": "input_cost_per_query",
    "completion": "output_cost_per_token",
    "image": "input_cost_per_image_token",
    "audio": "input_cost_per_audio_token",
    "image_output": "output_cost_per_image_token",
    "input_cache_read": "cache_read_input_token_cost",
}
UNITS = ("input_cost_per_character", "input_cost_per_second")
ROUNDED = Decimal("0.002")
"""How far apart prices of a second may be: the list rounds some to three digits."""

REVIEWED = {
    ("openai/gpt-4o-transcribe@openai", "audio"): "genai-prices has OpenAI's price of sound, the list that of text",
    ("openai/gpt-4o-mini-transcribe@openai", "audio"): "the same",
    ("google/gemini-embedding-2@google-ai-studio", "audio"): "we offer it for text alone",
    ("google/gemini-embedding-2@google-ai-studio", "image"): "the same",
}
"""Prices that differ, with the reason."""


@pytest.fixture(scope="module")
def rows() -> Mapping[str, Row]:
    assert LIST is not None
    return msgspec.json.decode(LIST.read_bytes(), type=dict[str, dict[str, object]])


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(None, {})


def compared(catalogue: Catalogue, rows: Mapping[str, Row]) -> Iterator[tuple[Endpoint, Row]]:
    """The endpoints that do not converse and that the list has."""
    for endpoint in catalogue.endpoints.values():
        prefixes = PREFIXES.get(endpoint.provider, ())
        row = next((rows[prefix + endpoint.upstream_model] for prefix in prefixes if prefix + endpoint.upstream_model in rows), None)
        if row is not None and "text" not in catalogue.models[endpoint.model].output_modalities:
            yield endpoint, row


def prompt_of(row: Row, pricing: Pricing) -> int:
    """The list's price of one unit of input; ours, where the two are as near as its rounding."""
    by_unit = next((row[key] for key in UNITS if key in row), None)
    if by_unit is None or "input_cost_per_token" in row:
        return pico(row.get("input_cost_per_token"))
    theirs = pico(by_unit)
    return pricing.prompt if abs(theirs - pricing.prompt) <= theirs * ROUNDED else theirs


def pico(price: object) -> int:
    return round(Decimal(str(price or 0)) * 10**12)


def test_prices_are_those_of_litellm(catalogue: Catalogue, rows: Mapping[str, Row]) -> None:
    found = {}
    for endpoint, row in compared(catalogue, rows):
        theirs = {"prompt": prompt_of(row, endpoint.pricing)} | {ours: pico(row[key]) for ours, key in KEYS.items() if key in row}
        for key, price in theirs.items():
            if getattr(endpoint.pricing, key) != price:
                found[endpoint.id, key] = (getattr(endpoint.pricing, key), price)
    assert found.keys() == REVIEWED.keys(), found


def test_what_only_this_list_has_is_compared(catalogue: Catalogue, rows: Mapping[str, Row]) -> None:
    names = {endpoint.id for endpoint, _ in compared(catalogue, rows)}
    assert len(names) >= 30
    assert {"cohere/rerank-v3.5@cohere", "jinaai/jina-reranker-v2-base-multilingual@jina", "elevenlabs/scribe-v2@elevenlabs"} <= names
    assert {"voyageai/rerank-2.5@voyageai", "qwen/qwen3-embedding-8b@nebius"} <= names
