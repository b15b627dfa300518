"""The built-in endpoints at OpenRouter against its own model list of May 2026, where that list is at hand."""

from pathlib import Path

import msgspec
import pytest

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.load import load
from trunkline.catalogue.views import architecture_view, pricing_view

LIST = Path(__file__).parents[3].parent / "shared" / "openrouter" / "models-2026-05.json"

pytestmark = pytest.mark.skipif(not LIST.exists(), reason="OpenRouter's model list is not at hand")

ROUNDED = "the list has 17 digits; a price is a whole number of pico-dollars"
REVIEWED = {
    ("google/gemini-2.5-flash", "input_cache_write"): ROUNDED,
    ("google/gemini-2.5-flash-image", "input_cache_write"): ROUNDED,
    ("google/gemini-2.5-flash-lite", "input_cache_write"): ROUNDED,
    ("google/gemini-3-flash-preview", "input_cache_write"): ROUNDED,
    ("google/gemini-3.1-flash-lite", "input_cache_write"): ROUNDED,
    ("google/lyria-3-pro-preview", "request"): "the list has no price for tokens, and names $0.08 a song in the description",
    ("google/lyria-3-clip-preview", "request"): "the list has no price for tokens, and names $0.04 a clip in the description",
}
"""Prices that differ from the list, with the reason."""

REVIEWED_OVERRIDES = {
    "openai/gpt-5.4": "the list has no overrides at all; genai-prices has the tier above 272K tokens",
    "google/gemini-3.1-pro-preview": "genai-prices has the tier above 200K tokens",
    "google/gemini-2.5-pro": "genai-prices has the tier above 200K tokens",
    "qwen/qwen3.6-plus": "genai-prices has the tier above 256K tokens",
    "x-ai/grok-4.3": "genai-prices has the tier above 200K tokens",
    "x-ai/grok-4.20": "genai-prices has the tier above 200K tokens",
    "openai/gpt-5.5": "genai-prices has the tier above 272K tokens",
    "openai/gpt-5.5-pro": "genai-prices has the tier above 272K tokens",
    "openai/gpt-5.4-pro": "genai-prices has the tier above 272K tokens",
    "anthropic/claude-sonnet-4.5": "genai-prices has the tier above 200K tokens",
    "qwen/qwen3.6-flash": "genai-prices has the tier above 256K tokens",
    "bytedance-seed/seed-2.0-lite": "genai-prices has the tier above 128K tokens",
    "bytedance-seed/seed-2.0-mini": "genai-prices has the tier above 128K tokens",
    "bytedance-seed/seed-1.6": "genai-prices has the tier above 128K tokens",
    "bytedance-seed/seed-1.6-flash": "genai-prices has the tier above 128K tokens",
}


@pytest.fixture(scope="module")
def listed() -> dict[str, dict[str, object]]:
    return {row["id"]: row for row in msgspec.json.decode(LIST.read_bytes())["data"]}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(None, {})


def test_prices_are_those_of_the_list(catalogue: Catalogue, listed: dict[str, dict[str, object]]) -> None:
    differences = {}
    for endpoint in catalogue.endpoints.values():
        if endpoint.provider != "openrouter" or endpoint.model not in listed:
            continue
        ours = pricing_view(endpoint.pricing)
        assert ("overrides" in ours) == (endpoint.model in REVIEWED_OVERRIDES), endpoint.model
        theirs: dict[str, str] = listed[endpoint.model]["pricing"]  # type: ignore[assignment]
        for key in (ours.keys() | theirs.keys()) - {"overrides"}:
            if ours.get(key) != theirs.get(key):
                differences[endpoint.model, key] = (ours.get(key), theirs.get(key))
    assert differences.keys() == REVIEWED.keys(), differences


def test_facts_are_those_of_the_list(catalogue: Catalogue, listed: dict[str, dict[str, object]]) -> None:
    for model in catalogue.models.values():
        assert (model.id in listed) == ("OpenRouter model list, 2026-05" in model.sources), model.id
        if model.id not in listed:
            continue
        row = listed[model.id]
        facts = (model.name, model.canonical_slug, model.created, model.context_length)
        assert facts == (str(row["name"]).strip(), row["canonical_slug"], row["created"], row["context_length"])
        theirs: dict[str, object] = row["architecture"]  # type: ignore[assignment]
        ours = architecture_view(model)
        assert {key: sorted(value) if isinstance(value, list) else value for key, value in ours.items()} == {
            key: sorted(value) if isinstance(value, list) else value for key, value in theirs.items()
        }


def test_descriptions_are_our_own(catalogue: Catalogue, listed: dict[str, dict[str, object]]) -> None:
    for model in catalogue.models.values():
        theirs = str(listed.get(model.id, {}).get("description", "")).split()
        ours = model.description.split()
        runs = {tuple(theirs[start : start + 7]) for start in range(len(theirs) - 6)}
        shared = [" ".join(ours[start : start + 7]) for start in range(len(ours) - 6) if tuple(ours[start : start + 7]) in runs]
        assert not shared, (model.id, shared)
