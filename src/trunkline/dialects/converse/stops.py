"""Why an answer ended (adapters 1.5; Bedrock API reference, `stopReason`), and the exceptions of a stream with the status that each has
outside of one."""

from collections.abc import Mapping
from typing import Final, Literal

from trunkline.errors import UpstreamRefused

Reason = Literal["stop", "length", "tool_calls", "content_filter"]

REASONS: Final[Mapping[str, Reason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
}
"""A word that is in neither table counts as `stop`; the caller sees it as `native_finish_reason`."""

FAILURES: Final = frozenset(("malformed_model_output", "malformed_tool_use"))
"""Words for an answer that failed."""

EXCEPTIONS: Final[Mapping[str, int]] = {
    "internalServerException": 500,
    "modelStreamErrorException": 424,
    "modelErrorException": 424,
    "modelTimeoutException": 504,
    "validationException": 400,
    "throttlingException": 429,
    "serviceUnavailableException": 503,
    "accessDeniedException": 403,
    "resourceNotFoundException": 404,
}


def reason_of(native: str, *, called: bool, emulated: bool) -> Reason:
    """OpenRouter's word. `called`: tools were called; `emulated`: the only call was a structured answer in disguise."""
    reason = REASONS.get(native, "stop")
    if called and reason == "stop":
        return "tool_calls"
    return "stop" if emulated and not called and reason == "tool_calls" else reason


def failure_of(native: str) -> UpstreamRefused | None:
    """The failure that a stop reason means, None for one that ends an answer."""
    return UpstreamRefused("malformed", f"the model stopped with {native}", status=0, code=native) if native in FAILURES else None
