"""Why Cohere stopped (adapters 1.5; Cohere API reference, `finish_reason`)."""

from collections.abc import Mapping
from typing import Final, Literal

from trunkline.errors import UpstreamRefused

Reason = Literal["stop", "length", "tool_calls", "content_filter"]

REASONS: Final[Mapping[str, Reason]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
}
"""A word that is in neither table counts as `stop`; the caller sees it as `native_finish_reason`."""

FAILURES: Final[Mapping[str, str]] = {
    "ERROR": "server",
    "ERROR_TOXIC": "moderation",
    "ERROR_LIMIT": "context_length",
    "TIMEOUT": "server",
}
"""Words for an answer that failed, with the kind of the failure."""


def reason_of(native: str, *, called: bool) -> Reason:
    """OpenRouter's word. `called`: tools were called."""
    reason = REASONS.get(native, "stop")
    return "tool_calls" if called and reason == "stop" else reason


def failure_of(native: str, message: str | None) -> UpstreamRefused | None:
    """The failure that a finish word means, None for one that ends an answer."""
    kind = FAILURES.get(native)
    return None if kind is None else UpstreamRefused(kind, message or f"the model stopped with {native}", status=0, code=native)
