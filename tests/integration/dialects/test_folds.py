"""A streamed answer and a whole one are the same answer: the fold of a recorded stream equals what the decoder reads in the whole body that
the same stream makes by the vendor's own rules."""

from typing import Any

import msgspec
import pytest
from cassettes import EDITED, FAILURES, NEEDED, Recording, answers
from folded import FOLDS, folded
from replay import answer, endpoint

from trunkline.dialects.hub.answer import Answer
from trunkline.metering.usage import normalise

pytestmark = NEEDED

ANEW = {"responses": ("data",)}
"""What an upstream says anew for the whole body: OpenAI encrypts reasoning again for its last event, and rounds its probabilities."""


@pytest.mark.parametrize("dialect", FOLDS)
def test_the_fold_of_a_stream_is_the_whole_answer(dialect: str) -> None:
    seen = 0
    for one in answers(dialect, streamed=True):
        if one.file in FAILURES or one.file in EDITED:
            continue
        body = folded(one)
        whole = answer(msgspec.structs.replace(one, body=body))
        assert facts(answer(one), one) == facts(whole, one), one.file
        seen += 1
    assert seen


def facts(found: Answer, one: Recording) -> dict[str, Any]:
    """An answer without how it came: blocks with their joined parts, the end, and the account."""
    where = endpoint(one)
    blocks = []
    for block in found.blocks:
        parts = {kind: block.joined(kind) for kind in block.parts if kind not in ("logprobs", "annotation", *ANEW.get(one.dialect, ()))}
        listed = [msgspec.json.decode(text) for text in block.parts.get("annotation", ())]
        said = {kind: text for kind, text in parts.items() if text}
        opaque = None if block.opaque is None else msgspec.json.decode(block.opaque.raw)
        if said or listed or block.kind not in ("text", "reasoning"):
            blocks.append((block.kind, block.id, block.name, block.format, block.custom, said, listed, block.media, opaque))
    logprobs = [entry for block in found.blocks for text in block.parts.get("logprobs", ()) for entry in msgspec.json.decode(text)]
    return {
        "blocks": blocks,
        "logprobs": [(entry["token"], round(entry["logprob"], 4)) for entry in logprobs],
        "id": found.id,
        "finish": found.finish,
        "usage": normalise(found.usage or {}, where.quirks, where.dialect),
        "error": found.error,
    }
