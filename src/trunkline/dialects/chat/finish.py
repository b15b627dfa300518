"""Why an answer ended: every word seen at upstreams, as one of OpenRouter's five (contract 2.3; adapters 1.5)."""

from collections.abc import Mapping

FINISH_REASONS: Mapping[str, str] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "compaction": "stop",
    "complete": "stop",
    "completed": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "incomplete": "length",
    "tool_calls": "tool_calls",
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "refusal": "content_filter",
    "sensitive": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "spii": "content_filter",
    "image_safety": "content_filter",
    "model_armor": "content_filter",
    "error": "error",
    "error_toxic": "error",
    "network_error": "error",
    "insufficient_system_resource": "error",
    "malformed_function_call": "error",
    "unexpected_tool_call": "error",
    "language": "error",
    "other": "error",
    "no_image": "error",
    "failed": "error",
    "cancelled": "error",
}
"""Keys in lower case. A word that is not listed counts as `stop`; the caller sees it as `native_finish_reason`."""


def finish_reason(native: str | None, *, called: bool) -> str:
    """OpenRouter's word for an upstream's. `called`: tool calls were made, which turns any `stop` into `tool_calls`."""
    reason = FINISH_REASONS.get(native.lower(), "stop") if native else "stop"
    return "tool_calls" if called and reason == "stop" else reason
