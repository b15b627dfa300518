"""Why an answer ended: Anthropic's stop reasons and the hub's four (adapters 1.5), both ways."""

from collections.abc import Mapping
from typing import Literal

from trunkline.dialects.hub.events import Finish

Reason = Literal["stop", "length", "tool_calls", "content_filter"]

REASONS: Mapping[str, Reason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "compaction": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""A word that is not listed counts as `stop`; the client sees it as the native reason."""

_WORDS: Mapping[Reason, str] = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


def finish_of(native: str | None, *, stop_sequence: str | None = None, called: bool = False, emulated: bool = False) -> Finish:
    """The end of an upstream's answer. `called`: tool calls were made, which turns any `stop` into `tool_calls`. `emulated`: the only call
    was a structured answer in disguise."""
    reason: Reason = REASONS.get(native or "", "stop")
    if called and reason == "stop":
        reason = "tool_calls"
    if emulated and not called and reason == "tool_calls":
        reason = "stop"
    return Finish(reason, native, stop_sequence)


def stop_reason(finish: Finish | None, *, refused: bool = False) -> str:
    """Anthropic's word for the end of an answer: the upstream's own where it is one of them and says the same. `refused`: the answer is a
    refusal in words."""
    if finish is None:
        return "end_turn"
    if finish.reason == "stop" and finish.stop_sequence is not None:
        return "stop_sequence"
    if finish.reason == "stop" and refused:
        return "refusal"
    native = finish.native or ""
    if REASONS.get(native) == finish.reason and native != "stop_sequence":
        return native
    return _WORDS[finish.reason]
