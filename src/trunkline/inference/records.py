"""The generation record of an exchange: what `GET /generation` will show of it."""

import time
from collections.abc import Sequence

from trunkline.dialects.hub.translation import Seen, SeenCall
from trunkline.errors import UpstreamError
from trunkline.inference.call import HEADER_LIMIT, Exchange
from trunkline.metering.tool_calls import ToolEvidence
from trunkline.protocol.catalogue import Endpoint
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


def evidence_of(exchange: Exchange, seen: Seen) -> ToolEvidence | None:
    """The tools a request offered and the calls its answer made, for the validity check that runs after the reply."""
    tools = exchange.request.fields.get("tools")
    if tools is None or not seen.tool_calls:
        return None
    return ToolEvidence(bytes(tools), tuple((call.name, call.arguments) for call in seen.tool_calls))


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
    )


def _text(value: bytes | None) -> str | None:
    return value[:HEADER_LIMIT].decode("latin-1") if value else None


def _cache_writes(usage: Usage) -> int | None:
    """Tokens written to a prompt cache, whatever their lifetime; None when the upstream did not say."""
    if usage.cache_write_1h is None:
        return usage.cache_write_5m
    return usage.cache_write_1h + (usage.cache_write_5m or 0)
