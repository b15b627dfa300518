"""OpenRouter's own answers are the model of ours: every field that they have, ours have with the same kind of value, whether the answer
passed through or was written anew from the hub."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cassettes import NEEDED, Recording, answers
from client_side import payloads
from recorded import documents
from replay import account, endpoint, exchange

from trunkline.inference.ways import Way, translation, way

pytestmark = NEEDED

MISSING = {
    ".choices[].message.tool_calls[].index": "an index is of use in streams only; OpenAI's whole answers have none",
    ".usage.server_tool_use_details.tool_calls_executed": "server tools that OpenRouter runs itself; an upstream's are counted by kind",
    ".usage.server_tool_use_details.tool_calls_requested": "the same",
}
"""Fields that ours never have, and why."""

UNKNOWN_TO_THE_HUB = {
    ".choices[].message.annotations[]": "an empty list of annotations is left out",
    ".choices[].delta.reasoning_details[]": "an empty list of details is left out",
    ".choices[].logprobs": "chunks without probabilities leave them out, as most of OpenRouter's do",
    ".output[].phase": "not carried by the hub; it is kept where responses pass through",
    **dict.fromkeys(
        (f".reasoning.{key}" for key in ("context", "effort", "mode", "summary")), "an echo of a request that asked for reasoning"
    ),
}
"""Fields that ours lack when they are written anew."""

NULLS = {
    ".choices[].delta.reasoning": "null where a chunk has none; ours leaves it out",
    ".choices[].message.content": "an answer without text has null, as at OpenAI; OpenRouter has it so too, but for some models",
    ".usage.cost_details.upstream_inference_cost": "null at OpenRouter where it did not use the caller's key",
    ".completed_at": "the hub knows no clock",
    **dict.fromkeys(
        (f".{key}" for key in ("frequency_penalty", "presence_penalty", "temperature", "top_logprobs", "top_p")),
        "an echo of the request; what was not asked for is null in ours, and the model's default in theirs",
    ),
}
"""Fields that are null in one and not in the other."""

GOLDEN = [("chat", False, 21), ("chat", True, 4), ("responses", False, 2)]


def golden(dialect: str, *, stream: bool) -> list[Recording]:
    return [one for one in answers(dialect, streamed=stream) if one.provider == "openrouter"]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The paths of a document with the kinds of their values."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        yield from ((f"{path}[]", "empty"),) if not value else ()
        for inner in value:
            yield from leaves(inner, path + "[]")
    else:
        yield path, {"NoneType": "null", "int": "number", "float": "number"}.get(type(value).__name__, type(value).__name__)


def ours(one: Recording, there: Way) -> list[Any]:
    asked = exchange(one.dialect, stream=one.streamed)
    if one.streamed:
        stream, splitter = there.stream(asked), there.splitter()
        said = stream.feed(splitter.feed(one.data) + splitter.close()) + stream.end()
        return payloads(said + stream.finish(*account(stream, one)))
    reply = there.reply(asked)
    reply.decode(one.data)
    return [json.loads(reply.encode(*account(reply, one)))]


@pytest.mark.parametrize("anew", [False, True], ids=["passed", "anew"])
@pytest.mark.parametrize(("dialect", "stream", "count"), GOLDEN)
def test_ours_have_every_field_of_theirs(dialect: str, stream: bool, count: int, anew: bool) -> None:
    found = golden(dialect, stream=stream)
    assert len(found) == count
    granted = {**MISSING, **(UNKNOWN_TO_THE_HUB if anew else {})}
    for one in found:
        there = translation(endpoint(one)) if anew else way(dialect, endpoint(one))  # type: ignore[arg-type]
        made = {leaf for document in ours(one, there) for leaf in leaves(document)}
        paths = {path for path, _ in made}
        for path, kind in {leaf for document in documents(one) for leaf in leaves(document)}:
            assert path in paths or path in granted, (one.file, path)
            kinds = {known for place, known in made if place == path}
            assert not kinds or kind in kinds or path in NULLS, (one.file, path, kind, kinds)
