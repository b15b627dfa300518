"""The generation record of an exchange: what `GET /generation` will show of it."""

import time
from collections.abc import Mapping, Sequence
from typing import Final

from trunkline.dialects.hub.translation import Seen, SeenCall
from trunkline.errors import UpstreamError
from trunkline.inference.call import HEADER_LIMIT, Exchange
from trunkline.inference.overheard import Told
from trunkline.metering.judge import Evidence
from trunkline.metering.structured import FormEvidence
from trunkline.metering.tool_calls import ToolEvidence
from trunkline.protocol.catalogue import Dialect, Endpoint
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.usage import Cost, Usage


class Unseen:
    """Stands for an answer of which nothing was seen."""

    usage: dict[str, object] | None = None
    upstream_id: str | None = None
    service_tier: str | None = None
    error: UpstreamError | None = None
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    output_chars: int = 0
    tool_calls: Sequence[SeenCall] = ()


UNSEEN = Unseen()


_FORM_FIELDS: Final[Mapping[Dialect, str]] = {"chat": "response_format", "responses": "text", "messages": "output_config"}
"""Where each dialect of clients asks for a form of the answer."""


def evidence_of(exchange: Exchange, seen: Seen) -> Evidence | None:
    """What an answer is judged by after the reply: its calls and the tools that the request offered, else its text and the form that was
    asked for. A text that was cut off, or may have been, is no fault of the endpoint's."""
    tools = exchange.request.fields.get("tools")
    if tools is not None and seen.tool_calls:
        return ToolEvidence(bytes(tools), tuple((call.name, call.arguments) for call in seen.tool_calls))
    parameters = exchange.request.parameters
    if "response_format" in parameters and "stop" not in parameters and seen.finish_reason == "stop" and isinstance(seen, Told):
        form = exchange.request.fields.get(_FORM_FIELDS.get(exchange.request.dialect, ""))
        return None if form is None or seen.tool_calls else FormEvidence(bytes(form), seen.text, seen.size)
    return None


def record_of(
    exchange: Exchange,
    endpoint: Endpoint,
    seen: Seen,
    usage: Usage,
    cost: Cost,
    *,
    discount: int | None,
    cancelled: bool,
    status: int,
    error_type: str | None,
    tool_calls: int,
) -> GenerationRecord:
    """The record. `discount` is what prompt caching saved, in pico-dollars; `error_type` makes the finish reason `error`."""
    call, principal, request = exchange.call, exchange.principal, exchange.request
    header = call.headers.get
    return GenerationRecord(
        id=call.id,
        created_ms=call.created_ms,
        key_hash=principal.key_hash,
        workspace_id=principal.workspace_id,
        model=endpoint.model,
        endpoint_id=endpoint.id,
        provider_name=endpoint.provider_name,
        api_type=call.skin.api_type,
        cost=cost.total,
        upstream_id=seen.upstream_id,
        price_version=endpoint.price_version,
        streamed=request.stream,
        cancelled=cancelled,
        finish_reason="error" if error_type else seen.finish_reason,
        native_finish_reason=seen.native_finish_reason,
        latency_ms=int((exchange.first_content_at - call.started) * 1000) if exchange.first_content_at else None,
        generation_ms=int((time.monotonic() - exchange.sent_at) * 1000) if exchange.sent_at else None,
        input_tokens=usage.input_total,
        output_tokens=usage.output_total,
        reasoning_tokens=usage.reasoning,
        cached_tokens=usage.cache_read,
        cache_write_tokens=_cache_writes(usage),
        cache_discount=discount,
        image_tokens=usage.output_image,
        usage_source=usage.source,
        upstream_cost=usage.upstream_cost,
        is_byok=bool(endpoint.byok),
        router=(request.chosen.router or None) if request.chosen is not None else None,
        app_referer=_text(header(b"http-referer")),
        app_title=_text(header(b"x-openrouter-title") or header(b"x-title")),
        origin=_text(header(b"origin")),
        user_agent=_text(header(b"user-agent")),
        external_user=request.user,
        session_id=request.session_id or _text(header(b"x-session-id")),
        service_tier=seen.service_tier,
        status=status,
        error_type=error_type,
        tool_calls=tool_calls,
        attempts=tuple(exchange.attempts),
        data_region=request.region or None,
        task=exchange.task,
    )


def _text(value: bytes | None) -> str | None:
    return value[:HEADER_LIMIT].decode("latin-1") if value else None


def _cache_writes(usage: Usage) -> int | None:
    """Tokens written to a prompt cache, whatever their lifetime; None when the upstream did not say."""
    if usage.cache_write_1h is None:
        return usage.cache_write_5m
    return usage.cache_write_1h + (usage.cache_write_5m or 0)
