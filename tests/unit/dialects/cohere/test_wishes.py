from typing import Any

import pytest
from msgspec import Raw

from trunkline.dialects.cohere.wishes import response_format, thinking, wording
from trunkline.dialects.hub.conversation import Format, ReasoningWish
from trunkline.protocol.quirks import Quirks

SCHEMA = Raw(b'{"type":"object"}')


@pytest.mark.parametrize(
    ("wish", "max_tokens", "sent"),
    [
        (None, None, None),
        (ReasoningWish(enabled=True), None, {"type": "enabled"}),
        (ReasoningWish(max_tokens=300), 1000, {"type": "enabled", "token_budget": 300}),
        (ReasoningWish(effort="high"), 10_000, {"type": "enabled", "token_budget": 8000}),
        (ReasoningWish(effort="high"), 500, {"type": "enabled", "token_budget": 500}),
        (ReasoningWish(effort="high"), None, {"type": "enabled"}),
        (ReasoningWish(effort="none"), None, {"type": "disabled"}),
        (ReasoningWish(enabled=False), None, {"type": "disabled"}),
    ],
)
def test_thinking(wish: ReasoningWish | None, max_tokens: int | None, sent: dict[str, Any] | None) -> None:
    assert thinking(wish, max_tokens, Quirks()) == sent
    assert thinking(wish, max_tokens, Quirks(thinking="none")) is None


def test_bug_23_a_form_is_asked_for_as_far_as_it_can_be() -> None:
    wanted = Format(kind="json_schema", schema=SCHEMA)
    assert response_format(wanted, Quirks(), alone=True) == {"type": "json_object", "json_schema": SCHEMA}
    assert wording(wanted, Quirks(), alone=True) == ""
    assert response_format(wanted, Quirks(json_schema="object"), alone=True) == {"type": "json_object"}
    for quirks, alone in ((Quirks(json_schema="object"), True), (Quirks(json_schema="none"), True), (Quirks(), False)):
        assert wording(wanted, quirks, alone=alone).endswith('{"type":"object"}')
    assert response_format(wanted, Quirks(), alone=False) is None
    assert response_format(Format(), Quirks(), alone=True) is None
    assert wording(Format(), Quirks(), alone=True) == wording(None, Quirks(), alone=True) == ""


def test_json_needs_its_instruction() -> None:
    wanted = Format(kind="json_object")
    assert response_format(wanted, Quirks(), alone=True) == {"type": "json_object"}
    assert "JSON object" in wording(wanted, Quirks(), alone=True)
