"""The response object: what a caller asked for said back, with every key that the SDKs demand (contract section 11)."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.responses.envelope import LENGTHS, code_of, message_of, told_inside
from trunkline.dialects.responses.request import ResponsesRequest
from trunkline.dialects.responses.usage import usage_view
from trunkline.errors import ApiError
from trunkline.protocol.usage import Cost, Usage

Document = dict[str, object]

_TEXT: Document = {"format": {"type": "text"}}
_ECHOED: Mapping[str, object] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "temperature": None,
    "text": _TEXT,
    "tool_choice": "auto",
    "tools": (),
    "top_logprobs": None,
    "top_p": None,
    "frequency_penalty": None,
    "presence_penalty": None,
    "truncation": "disabled",
    "metadata": {},
    "reasoning": None,
}
"""Keys that repeat the request, with what stands there when it did not say."""

_NULL = b"null"
NO_USAGE = usage_view(Usage(), Cost())
"""An answer that was cut by an error is not charged."""


def document(identity: Identity, request: ResponsesRequest) -> Document:
    """A response that has begun and holds nothing yet. Nothing is known of when it will be complete, so `completed_at` is null."""
    echoed = {key: _echo(request.fields.get(key), default) for key, default in _ECHOED.items()}
    return {
        "id": identity.id,
        "object": "response",
        "created_at": identity.created,
        "completed_at": None,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": identity.model,
        "provider": identity.provider,
        "output": (),
        "previous_response_id": None,
        "service_tier": None,
        "store": False,
        "usage": None,
        "user": None,
        **echoed,
    }


def ended(
    begun: Document, output: Sequence[object], *, finish: str | None, service_tier: str | None, usage: object, metadata: bytes | None
) -> Document:
    """The same response at its end. `finish` is the reason of the hub; `metadata` is `openrouter_metadata` as JSON."""
    reason = CUTS.get(finish or "")
    last: Document = {
        "status": "completed" if reason is None else "incomplete",
        "incomplete_details": None if reason is None else {"reason": reason},
        "output": output,
        "output_text": output_text(output),
        "service_tier": service_tier,
        "usage": usage,
    }
    if metadata is not None:
        last["openrouter_metadata"] = Raw(metadata)
    return {**begun, **last}


def failed_document(begun: Document, output: Sequence[object], error: ApiError) -> Document:
    """The response that an error ended; one that is too long ends as cut for its length (contract 2.12, "Responses skin")."""
    failed: Document = {**begun, "output": output, "output_text": output_text(output), **told_inside(error)}
    if error.error_type in LENGTHS:
        return failed | {"status": "incomplete", "incomplete_details": {"reason": CUTS["length"]}, "usage": NO_USAGE}
    return failed | {"status": "failed", "error": {"code": code_of(error), "message": message_of(error)}}


def cut_short(identity: Identity, request: ResponsesRequest, error: ApiError) -> bytes | None:
    """The body in place of an error that says that something is too long: an empty response that ended for its length. None for any other
    error, which stays one."""
    if error.error_type not in LENGTHS:
        return None
    return msgspec.json.encode(failed_document(document(identity, request), (), error))


CUTS: Mapping[str, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Finish reasons of the hub that leave a response incomplete, and `incomplete_details.reason`."""


def output_text(output: Sequence[object]) -> str:
    """The text of all messages."""
    texts: list[str] = []
    for item in output:
        content = item.get("content") if isinstance(item, dict) and item.get("type") == "message" else None
        parts = content if isinstance(content, list) else ()
        texts.extend(part["text"] for part in parts if part.get("type") == "output_text")
    return "".join(texts)


def _echo(raw: Raw | None, default: object) -> object:
    return default if raw is None or bytes(raw) == _NULL else raw
