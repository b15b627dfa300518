"""Why Gemini stopped (adapters 1.5; Gemini API reference, `FinishReason` and `BlockReason`)."""

from collections.abc import Mapping
from typing import Final, Literal

from trunkline.errors import UpstreamRefused

Reason = Literal["stop", "length", "tool_calls", "content_filter"]

UNSAID: Final = frozenset((None, "", "FINISH_REASON_UNSPECIFIED", "BLOCK_REASON_UNSPECIFIED"))
"""Words that end nothing."""

REASONS: Final[Mapping[str, Reason]] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}
"""A word that is in neither table counts as `stop`; the caller sees it as `native_finish_reason`."""

FAILURES: Final[Mapping[str, str]] = {
    "MALFORMED_FUNCTION_CALL": "malformed",
    "MALFORMED_RESPONSE": "malformed",
    "UNEXPECTED_TOOL_CALL": "malformed",
    "TOO_MANY_TOOL_CALLS": "malformed",
    "MISSING_THOUGHT_SIGNATURE": "stale_reasoning",
    "LANGUAGE": "caller_fault",
    "NO_IMAGE": "server",
    "IMAGE_OTHER": "server",
    "OTHER": "server",
}
"""Words for an answer that failed, with the kind of the failure."""


def reason_of(native: str, *, called: bool) -> Reason:
    """OpenRouter's word. `called`: tools were called, for which Gemini has no word of its own."""
    reason = REASONS.get(native, "stop")
    return "tool_calls" if called and reason == "stop" else reason


def failure_of(native: str, message: str | None) -> UpstreamRefused | None:
    """The failure that a finish word means, None for one that ends an answer."""
    kind = FAILURES.get(native)
    if kind is None:
        return None
    return UpstreamRefused(kind, message or f"the model stopped with {native}", status=0, code=native)
