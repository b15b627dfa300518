import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.routing.routers.bodybuilder import MOST_REQUESTS, compose, normal

SPELLINGS = {
    "openai/gpt 5": "openai/gpt-5",
    "gpt 5": "openai/gpt-5",
    "gpt 5 mini": "openai/gpt-5-mini",
    "claude sonnet": "anthropic/claude-sonnet-4.6",
    "claude sonnet 4.5": "anthropic/claude-sonnet-4.5",
}


@pytest.mark.parametrize(
    ("text", "prompt", "models"),
    [
        ("Count to ten using GPT-5 and Claude Sonnet.", "Count to ten.", ["openai/gpt-5", "anthropic/claude-sonnet-4.6"]),
        ("With gpt-5-mini, write a poem", "write a poem", ["openai/gpt-5-mini"]),
        ("Ask Claude Sonnet 4.5 what time it is", "what time it is", ["anthropic/claude-sonnet-4.5"]),
        ("openai/gpt-5 vs. claude-sonnet: is ice cold?", "is ice cold?", ["openai/gpt-5", "anthropic/claude-sonnet-4.6"]),
        ("Say hello with gpt-5, gpt-5 and GPT 5", "Say hello", ["openai/gpt-5"]),
        ("Is gpt-55 out?", "Is gpt-55 out?", ["a/x", "a/y"]),
        ("gpt-5", "gpt-5", ["openai/gpt-5"]),
    ],
)
def test_requests_to_the_models_that_are_named(text: str, prompt: str, models: list[str]) -> None:
    made = json.loads(compose(text, SPELLINGS, ["a/x", "a/y"]))
    assert made == {"requests": [{"model": model, "messages": [{"role": "user", "content": prompt}]} for model in models]}


def test_there_is_an_end_to_requests() -> None:
    many = {f"model {place:03}": f"a/{place}" for place in range(50)}
    assert len(json.loads(compose(", ".join(many), many, []))["requests"]) == MOST_REQUESTS


@given(st.text(max_size=200))
def test_any_text_makes_json(text: str) -> None:
    assert list(json.loads(compose(text + " gpt-5 " + text, SPELLINGS, []))) == ["requests"]


def test_names_keep_their_length() -> None:
    assert normal("Claude-Sonnet_4.5") == "claude sonnet 4.5"
