"""From the bytes of an upstream to the money: every dialect, streamed and whole, against a golden file and two independent calculations.

`tests/fixtures/costs.json` holds the cost of each case in pico-dollars. The first calculation here is Decimal arithmetic on the tokens as
the case names them; the second is the `genai-prices` package, for the vendors whose usage objects it reads.
"""

import itertools
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec
import pytest
from endpoints import endpoint
from msgspec.structs import replace

from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.conversation import Conversation, Text, Turn
from trunkline.inference.ways import OUTBOUND
from trunkline.metering.cost import own_key, price
from trunkline.metering.usage import normalise
from trunkline.protocol.catalogue import Dialect, PriceOverride, Pricing

FIXTURE: Final = Path(__file__).parents[2] / "fixtures" / "costs.json"
HELLO: Final = Conversation(turns=(Turn(role="user", blocks=(Text(text="hi"),)),))
RATES: Final = {"prompt": "3", "completion": "15", "input_cache_read": "0.3", "input_cache_write": "3.75", "input_cache_write_1h": "6"}
LONG: Final = {"prompt": "6", "completion": "22.5", "input_cache_read": "0.6", "input_cache_write": "7.5", "input_cache_write_1h": "12"}
CLIFF: Final = 200_000
FLEX: Final = Decimal("0.5")
"""USD a million tokens; above the cliff all tokens take the second row; the flex tier is half of either."""


class Tokens(msgspec.Struct, frozen=True):
    """What a case used. `fresh` input met no cache; `reasoning` is inside `output`."""

    fresh: int
    read: int = 0
    write_5m: int = 0
    write_1h: int = 0
    output: int = 120
    reasoning: int = 20

    @property
    def input(self) -> int:
        return self.fresh + self.read + self.write_5m + self.write_1h


CACHES: Final[dict[str, Callable[[int], Tokens]]] = {
    "none": lambda size: Tokens(size),
    "read": lambda size: Tokens(size - 700, read=700),
    "write_5m": lambda size: Tokens(size - 300, write_5m=300),
    "write_1h": lambda size: Tokens(size - 950, read=100, write_5m=50, write_1h=800),
}
LENGTHS: Final = {"short": 1_000, "cliff": CLIFF, "long": CLIFF + 1}
KNOWN: Final[dict[str, frozenset[str]]] = {
    "chat": frozenset(("none", "read", "write_5m")),
    "responses": frozenset(("none", "read", "write_5m")),
    "messages": frozenset(CACHES),
    "gemini": frozenset(("none", "read")),
    "converse": frozenset(CACHES),
    "cohere": frozenset(("none", "read")),
}
"""What each dialect's usage object can tell of a cache."""
CASES: Final = [
    (dialect, cache, length, tier)
    for dialect, cache, length, tier in itertools.product(KNOWN, CACHES, LENGTHS, ("default", "flex"))
    if cache in KNOWN[dialect]
]


def dump(*documents: object) -> list[bytes]:
    return [msgspec.json.encode(document) for document in documents]


def chat(used: Tokens, tier: str) -> tuple[bytes, list[bytes]]:
    usage = {
        "prompt_tokens": used.input,
        "completion_tokens": used.output,
        "prompt_tokens_details": {"cached_tokens": used.read, "cache_write_tokens": used.write_5m},
        "completion_tokens_details": {"reasoning_tokens": used.reasoning},
    }
    head = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "service_tier": tier}
    said = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    whole = {**head, "choices": [said], "usage": usage}
    stream = dump(
        {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {**head, "choices": [], "usage": usage},
    )
    return dump(whole)[0], [*stream, b"[DONE]"]


def responses(used: Tokens, tier: str) -> tuple[bytes, list[bytes]]:
    item = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
    }
    usage = {
        "input_tokens": used.input,
        "input_tokens_details": {"cached_tokens": used.read, "cache_write_tokens": used.write_5m},
        "output_tokens": used.output,
        "output_tokens_details": {"reasoning_tokens": used.reasoning},
    }
    whole = {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "model": "m",
        "service_tier": tier,
        "output": [item],
        "usage": usage,
    }
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    stream = dump(
        {"type": "response.created", "response": {**whole, "status": "in_progress", "output": [], "usage": None}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress", "content": []}},
        {"type": "response.content_part.added", **place, "part": {"type": "output_text", "text": "", "annotations": []}},
        {"type": "response.output_text.delta", **place, "delta": "Hi"},
        {"type": "response.output_text.done", **place, "text": "Hi"},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    )
    return dump(whole)[0], stream


def messages(used: Tokens, tier: str) -> tuple[bytes, list[bytes]]:
    usage = {
        "input_tokens": used.fresh,
        "cache_read_input_tokens": used.read,
        "cache_creation_input_tokens": used.write_5m + used.write_1h,
        "cache_creation": {"ephemeral_5m_input_tokens": used.write_5m, "ephemeral_1h_input_tokens": used.write_1h},
        "output_tokens": used.output,
        "service_tier": tier,
    }
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
    whole = {**head, "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn", "usage": usage}
    stream = dump(
        {"type": "message_start", "message": {**head, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": used.output}},
        {"type": "message_stop"},
    )
    return dump(whole)[0], stream


def gemini(used: Tokens, tier: str) -> tuple[bytes, list[bytes]]:
    usage = {
        "promptTokenCount": used.input,
        "cachedContentTokenCount": used.read,
        "candidatesTokenCount": used.output - used.reasoning,
        "thoughtsTokenCount": used.reasoning,
        "trafficType": "ON_DEMAND_FLEX" if tier == "flex" else "ON_DEMAND",
    }
    content = {"role": "model", "parts": [{"text": "Hi"}]}
    whole = {"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage, "responseId": "g"}
    early = {**usage, "candidatesTokenCount": 1}
    return dump(whole)[0], dump(
        {"candidates": [{"content": content}], "usageMetadata": early},
        {**whole, "candidates": [{"content": {"role": "model", "parts": [{"text": ""}]}, "finishReason": "STOP"}]},
    )


def converse(used: Tokens, tier: str) -> tuple[bytes, list[bytes]]:
    usage = {
        "inputTokens": used.fresh,
        "outputTokens": used.output,
        "totalTokens": used.input + used.output,
        "cacheReadInputTokens": used.read,
        "cacheWriteInputTokens": used.write_5m + used.write_1h,
        "cacheDetails": [{"ttl": "1h", "inputTokens": used.write_1h}, {"ttl": "5m", "inputTokens": used.write_5m}],
    }
    served = {"serviceTier": {"type": tier}}
    whole = {"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}, "stopReason": "end_turn", "usage": usage, **served}
    stream = dump(
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hi"}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": usage, "metrics": {"latencyMs": 1}, **served}},
    )
    return dump(whole)[0], stream


def cohere(used: Tokens, tier: str) -> tuple[bytes, list[bytes]]:
    usage = {
        "billed_units": {"input_tokens": used.input, "output_tokens": used.output},
        "tokens": {"input_tokens": used.input + 66, "output_tokens": used.output + 2},
        "cached_tokens": used.read,
    }
    whole = {
        "id": "c",
        "finish_reason": "COMPLETE",
        "message": {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]},
        "usage": usage,
    }
    stream = dump(
        {"type": "message-start", "id": "c", "delta": {"message": {"role": "assistant", "content": []}}},
        {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hi"}}}},
        {"type": "content-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}},
    )
    return dump(whole)[0], stream


BODIES: Final[dict[str, Callable[[Tokens, str], tuple[bytes, list[bytes]]]]] = {
    "chat": chat,
    "responses": responses,
    "messages": messages,
    "gemini": gemini,
    "converse": converse,
    "cohere": cohere,
}


def pricing(tier: str) -> Pricing:
    factor = FLEX if tier == "flex" else Decimal(1)
    base, long = ({name: int(Decimal(usd) * factor * 10**6) for name, usd in row.items()} for row in (RATES, LONG))
    return Pricing(**base, overrides=(PriceOverride(rates=long, min_prompt_tokens=CLIFF),))


def answers(dialect: Dialect, used: Tokens, tier: str) -> tuple[Answer, Answer]:
    """The same answer, whole and streamed, as the dialect's decoder reads it."""
    body, payloads = BODIES[dialect](used, tier)
    one = replace(endpoint("one"), dialect=dialect)
    decoder = OUTBOUND[dialect].decoder(one, HELLO, seed="s")
    streamed = OUTBOUND[dialect].decoder(one, HELLO, seed="s")
    return fold(decoder.whole(body)), fold([*streamed.feed(payloads), *streamed.close()])


def on_paper(used: Tokens, tier: str) -> Decimal:
    """USD by Decimal arithmetic on the tokens of the case."""
    rates = {name: Decimal(usd) / 10**6 for name, usd in (LONG if used.input > CLIFF else RATES).items()}
    parts = (
        (used.fresh, "prompt"),
        (used.read, "input_cache_read"),
        (used.write_5m, "input_cache_write"),
        (used.write_1h, "input_cache_write_1h"),
        (used.output, "completion"),
    )
    return sum((count * rates[name] for count, name in parts), Decimal(0)) * (FLEX if tier == "flex" else 1)


@pytest.fixture(scope="module")
def golden() -> dict[str, int]:
    return msgspec.json.decode(FIXTURE.read_bytes(), type=dict[str, int])


@pytest.mark.parametrize(("dialect", "cache", "length", "tier"), CASES, ids="-".join)
def test_each_case_costs_what_the_golden_file_says(dialect: Dialect, cache: str, length: str, tier: str, golden: dict[str, int]) -> None:
    used = CACHES[cache](LENGTHS[length])
    costs = []
    for answer in answers(dialect, used, tier):
        assert answer.usage is not None
        usage = normalise(answer.usage, endpoint("one").quirks, dialect)
        assert (usage.input_total, usage.output_total) == (used.input, used.output)
        costs.append(price(usage, pricing(tier)))
    assert costs[0] == costs[1]
    assert costs[0].total == golden["-".join((dialect, cache, length, tier))]
    assert Decimal(costs[0].total) / 10**12 == on_paper(used, tier)
    assert own_key(costs[0]).total == 0
    assert (own_key(costs[0]).prompt, own_key(costs[0]).completion) == (costs[0].prompt, costs[0].completion)


def test_the_golden_file_has_just_these_cases(golden: dict[str, int]) -> None:
    assert set(golden) == {"-".join(case) for case in CASES}


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages", "converse"])
def test_the_tier_that_served_is_known(dialect: Dialect) -> None:
    for answer in answers(dialect, Tokens(10), "flex"):
        assert answer.service_tier == "flex"
