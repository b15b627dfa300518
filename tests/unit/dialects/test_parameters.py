"""Which parameters a translation carries: the table, and what composers really write."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from endpoints import endpoint
from msgspec import structs

from trunkline.dialects.chat import request as chat_request
from trunkline.dialects.chat import turns
from trunkline.dialects.cohere import compose as cohere
from trunkline.dialects.converse import compose as converse
from trunkline.dialects.gemini import compose as gemini
from trunkline.dialects.messages import compose as messages
from trunkline.dialects.parameters import ALIASES, ONLY_LISTED, PARAMETERS, WORDLESS, lost
from trunkline.dialects.responses import compose as responses

COMPOSERS: dict[str, Callable[[Any], Any]] = {
    "messages": messages.Composer,
    "responses": responses.Composer,
    "gemini": gemini.Composer,
    "converse": converse.Composer,
    "cohere": cohere.Composer,
}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
VALUES: dict[str, object] = {
    "temperature": 0.3,
    "top_p": 0.5,
    "top_k": 5,
    "min_p": 0.1,
    "top_a": 0.2,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.1,
    "repetition_penalty": 1.1,
    "seed": 4,
    "stop": ["x"],
    "max_tokens": 3000,
    "max_completion_tokens": 3000,
    "logit_bias": {"5": 1},
    "logprobs": True,
    "top_logprobs": 2,
    "prediction": {"type": "content", "content": "x"},
    "response_format": {"type": "json_object"},
    "structured_outputs": True,
    "tools": TOOLS,
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "include_reasoning": True,
    "reasoning": {"effort": "high"},
    "reasoning_effort": "high",
    "web_search_options": {},
    "verbosity": "low",
}
BESIDE: dict[str, dict[str, object]] = {
    "tool_choice": {"tools": TOOLS},
    "parallel_tool_calls": {"tools": TOOLS},
    "top_logprobs": {"logprobs": True},
}
UNSEEN = frozenset(("structured_outputs", "include_reasoning"))
"""Parameters that change nothing by themselves: the one stands in lists only, the other is about the answer."""
BY_MODEL = {("messages", "verbosity"), ("converse", "verbosity")}
"""What only some models of a dialect have, as their quirks say."""


def composed(dialect: str, fields: dict[str, object], listed: frozenset[str] | None) -> bytes:
    one = structs.replace(endpoint("x"), dialect=dialect, supported_parameters=listed)
    body = {"model": "a/m", "messages": [{"role": "user", "content": "hi"}], **fields}
    return COMPOSERS[dialect](one).compose(turns.conversation(chat_request.parse(msgspec.json.encode(body))))  # type: ignore[no-any-return]


def test_aliases_lead_from_parameter_to_parameter() -> None:
    assert ALIASES.keys() <= PARAMETERS
    assert set(ALIASES.values()) <= PARAMETERS
    assert not set(ALIASES.values()) & ALIASES.keys()


def test_there_is_a_value_for_every_parameter() -> None:
    assert VALUES.keys() == PARAMETERS


@pytest.mark.parametrize("listed", [None, PARAMETERS], ids=["unknown", "listed"])
@pytest.mark.parametrize("name", sorted(PARAMETERS - UNSEEN))
@pytest.mark.parametrize("dialect", COMPOSERS)
def test_composers_lose_what_the_table_says_and_nothing_else(dialect: str, name: str, listed: frozenset[str] | None) -> None:
    if (dialect, name) in BY_MODEL:
        return
    beside = BESIDE.get(name, {})
    unchanged = composed(dialect, {**beside, name: VALUES[name]}, listed) == composed(dialect, beside, listed)
    assert unchanged == (name in lost(dialect, listed))


def test_the_tables_are_of_parameters() -> None:
    for table in (*WORDLESS.values(), *ONLY_LISTED.values()):
        assert table <= PARAMETERS


def test_chat_loses_nothing() -> None:
    assert lost("chat", None) == frozenset()
