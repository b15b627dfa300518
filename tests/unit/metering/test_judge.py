"""Verdicts in records."""

from collections.abc import Callable

import pytest

from trunkline.metering.judge import Evidence, Judge
from trunkline.metering.structured import FormEvidence
from trunkline.metering.tool_calls import ToolEvidence
from trunkline.protocol.generation import GenerationRecord

Make = Callable[..., GenerationRecord]
TOOLS = b'[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]'
FORM = b'{"type": "json_object"}'


@pytest.mark.parametrize(
    ("evidence", "calls_invalid", "form_invalid"),
    [
        (ToolEvidence(TOOLS, (("f", "{}"),)), 0, None),
        (ToolEvidence(TOOLS, (("f", "{}"), ("f", "[]"), ("g", "{}"))), 2, None),
        (FormEvidence(FORM, lambda: "{}", 2), None, False),
        (FormEvidence(FORM, lambda: "no", 2), None, True),
        (FormEvidence(FORM, lambda: None, 0), None, None),
    ],
)
def test_the_verdict_is_noted_and_nothing_else(
    record: Make, evidence: Evidence, calls_invalid: int | None, form_invalid: bool | None
) -> None:
    before = record()
    after = Judge().judged(before, evidence)
    assert (after.tool_calls_invalid, after.structured_invalid) == (calls_invalid, form_invalid)
    assert (after.id, after.cost, after.attempts) == (before.id, before.cost, before.attempts)
