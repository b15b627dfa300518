"""The prices of the endpoints at the vendors themselves against genai-prices, an independent collection of price lists."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.load import load
from trunkline.protocol.catalogue import Endpoint, Model

genai_prices = pytest.importorskip("genai_prices", reason="genai-prices is not installed")
data = pytest.importorskip("genai_prices.data")

READ_ON = date(2026, 11, 23)
"""The day for which the catalogue was compared; price lists with a later start do not count."""

KEYS = {
    "prompt": "input_mtok",
    "completion": "output_mtok",
    "input_cache_read": "cache_read_mtok",
    "input_cache_write": "cache_write_mtok",
    "input_cache_write_1h": "cache_write_1h_mtok",
}
MODALITIES = {
    "audio": "input_audio_mtok",
    "image": "input_image_mtok",
    "audio_output": "output_audio_mtok",
    "image_output": "output_image_mtok",
}
"""Prices of tokens of other kinds, compared for the operations beside chat and for models that draw."""

NOT_THERE = "genai-prices does not have it; test_litellm_prices.py compares it"
REVIEWED: Mapping[str, str] = {
    "mistralai/mistral-embed@mistral": "genai-prices names a price of output, which embeddings have none of",
    "cohere/embed-v4.0@cohere": "genai-prices has no price of images; test_litellm_prices.py compares it",
    "google/gemini-embedding-2@google-ai-studio": "we offer it for text alone",
    "openai/gpt-image-1-mini@openai": "genai-prices has one price of output, which ours names for images too",
    "openai/gpt-image-2@openai": "the same",
    "openai/gpt-image-2.5-flare@openai": "the same",
    "openai/gpt-image-2.5-sunburst@openai": "the same",
    "cohere/rerank-v3.5@cohere": NOT_THERE,
    "cohere/rerank-4-fast@cohere": NOT_THERE,
    "cohere/rerank-4-pro@cohere": NOT_THERE,
    "elevenlabs/scribe-v2@elevenlabs": NOT_THERE,
    "jinaai/jina-reranker-v2-base-multilingual@jina": NOT_THERE,
    "qwen/qwen3-embedding-8b@nebius": NOT_THERE,
    "voyageai/rerank-2.5@voyageai": NOT_THERE,
    "voyageai/rerank-2.5-lite@voyageai": NOT_THERE,
    "deepseek/deepseek-v4-pro@deepseek": "its price depends on the hour; ours has the quiet hours as base and the busy ones as overrides, "
    "and the last row there is that of the busy hours",
}
"""Endpoints whose prices differ, with the reason."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """With all that an address may name, so that it shows whose it is."""
    return load(None, {"AWS_REGION": "us-east-1", "GOOGLE_CLOUD_PROJECT": "my-project", "GOOGLE_CLOUD_LOCATION": "global"})


def theirs(endpoint: Endpoint) -> object | None:
    """What genai-prices says of the endpoint's model at its vendor on the day of the comparison, None when it does not know it."""
    vendor = next((row for row in data.providers if re.match(row.api_pattern, endpoint.base_url)), None)
    model = vendor and (vendor.find_model(endpoint.upstream_model) or vendor.find_model(endpoint.upstream_model.rpartition("/")[2]))
    if not model:
        return None
    if not isinstance(model.prices, list):
        return model.prices
    in_force = [row.prices for row in model.prices if getattr(row.constraint, "start_date", READ_ON) <= READ_ON]
    return in_force[-1]


def pico(value: object) -> int | None:
    """USD a million tokens as pico-dollars a token; a tiered price counts with its base."""
    base = getattr(value, "base", value)
    return None if base is None else int(Decimal(str(base)) * 10**6)


def tiers(prices: object) -> dict[int, dict[str, int | None]]:
    """Price by our key for each threshold of tokens."""
    found: dict[int, dict[str, int | None]] = {}
    for ours, key in KEYS.items():
        for tier in getattr(getattr(prices, key), "tiers", ()):
            found.setdefault(tier.start, {})[ours] = pico(tier.price)
    return found


def natives(catalogue: Catalogue) -> list[Endpoint]:
    """The endpoints at the vendors, and those at OpenRouter whose prices are not of OpenRouter's own list."""
    listed = {model.id for model in catalogue.models.values() if "OpenRouter model list, 2026-05" in model.sources}
    others = [endpoint for endpoint in catalogue.endpoints.values() if not endpoint.launch]
    return [endpoint for endpoint in others if endpoint.provider != "openrouter" or endpoint.model not in listed]


def unit(prices: Any) -> int | None:
    """The price of a second or of a character in pico-dollars, where that is what is charged."""
    hours, characters = prices.input_audio_hours, prices.input_mchars
    return pico(characters) if hours is None else int(Decimal(str(hours)) * 10**12 / 3600)


def expected(model: Model, prices: Any) -> dict[str, int | None]:
    """What genai-prices says, by our keys."""
    keys = KEYS | MODALITIES if model.output_modalities != ("text",) else KEYS
    said = {ours: pico(getattr(prices, key)) for ours, key in keys.items()}
    if "text" not in model.output_modalities:
        said |= {"prompt": unit(prices) if said["prompt"] is None else said["prompt"], "completion": said["completion"] or 0}
    return said


def differences(endpoint: Endpoint, model: Model, prices: object) -> dict[object, object]:
    found: dict[object, object] = {
        key: (getattr(endpoint.pricing, key), value)
        for key, value in expected(model, prices).items()
        if getattr(endpoint.pricing, key) != value
    }
    ours_by_size = {row.min_prompt_tokens: row.rates for row in endpoint.pricing.overrides}
    if ours_by_size != tiers(prices):
        found["overrides"] = (ours_by_size, tiers(prices))
    return found


def test_prices_are_those_of_genai_prices(catalogue: Catalogue) -> None:
    found = {}
    for endpoint in natives(catalogue):
        prices = theirs(endpoint)
        difference = "unknown there" if prices is None else differences(endpoint, catalogue.models[endpoint.model], prices)
        if difference:
            found[endpoint.id] = difference
    assert found.keys() == REVIEWED.keys(), found


def test_many_vendors_are_compared(catalogue: Catalogue) -> None:
    assert len({endpoint.provider for endpoint in natives(catalogue)}) >= 12
    assert len(natives(catalogue)) >= 100
    units = [catalogue.models[endpoint.model].output_modalities for endpoint in natives(catalogue)]
    assert {("embeddings",), ("rerank",), ("speech",), ("transcription",), ("image",), ("text", "image")} <= set(units)
