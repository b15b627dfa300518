"""How much to think and in which form to answer (Cohere API reference, `thinking` and `response_format`)."""

from typing import Final

from trunkline.dialects import efforts
from trunkline.dialects.hub.conversation import Format, ReasoningWish
from trunkline.protocol.quirks import Quirks

Wire = dict[str, object]

_JSON: Final = "Answer with one JSON object and nothing else: no explanation, no code fence."
_SCHEMA: Final = "Answer with JSON that follows this JSON schema and nothing else: no explanation, no code fence.\n"


def thinking(wish: ReasoningWish | None, max_tokens: int | None, quirks: Quirks) -> Wire | None:
    """`thinking`; None where nothing is asked. Without an output limit an effort is no number of tokens, and only switches thinking on."""
    if wish is None or quirks.thinking == "none":
        return None
    if wish.enabled is False or wish.effort == "none":
        return {"type": "disabled"}
    if wish.max_tokens:
        return {"type": "enabled", "token_budget": wish.max_tokens}
    if wish.effort is not None and max_tokens is not None:
        return {"type": "enabled", "token_budget": min(efforts.budget_of(wish.effort, max_tokens), max_tokens)}
    return {"type": "enabled"}


def response_format(wanted: Format | None, quirks: Quirks, *, alone: bool) -> Wire | None:
    """`response_format`; None where none is asked for, or where it cannot be sent. `alone`: neither tools nor documents are sent, with
    which it is refused."""
    if wanted is None or wanted.kind == "text" or not alone or quirks.json_schema == "none":
        return None
    schema = wanted.schema
    if schema is None or quirks.json_schema == "object":
        return {"type": "json_object"}
    return {"type": "json_object", "json_schema": schema}


def wording(wanted: Format | None, quirks: Quirks, *, alone: bool) -> str:
    """The instruction that stands in for what `response_format` cannot say; "" where nothing is missing."""
    if wanted is None or wanted.kind == "text":
        return ""
    sent = response_format(wanted, quirks, alone=alone)
    schema = wanted.schema
    if schema is not None and (sent is None or "json_schema" not in sent):
        return _SCHEMA + bytes(schema).decode()
    return _JSON if schema is None else ""
