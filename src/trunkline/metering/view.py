"""The `data` object of `GET /generation`, from the record of one generation (contract 5.10 and 11: every key present, null where
unknown).
"""

from datetime import UTC, datetime

from trunkline.protocol.generation import AttemptRecord, GenerationRecord
from trunkline.protocol.identity import generation_text
from trunkline.protocol.money import usd

ANYWHERE = "global"
"""The `data_region` of a request that came by the name of no region (contract 3.12)."""


def generation_view(record: GenerationRecord, *, app_id: int | None = None) -> dict[str, object]:
    """`record` as callers see it: money in USD, times in milliseconds, `created_at` as ISO 8601 in UTC. Where an attempt was made beside a
    slow one there are fields of ours: see `AttemptRecord` and `GenerationRecord.hedge_of`."""
    return {
        "id": generation_text(record.id),
        "request_id": record.request_id,
        "upstream_id": record.upstream_id,
        "created_at": _iso(record.created_ms),
        "model": record.model,
        "provider_name": record.provider_name or None,
        "router": record.router,
        "api_type": record.api_type,
        "streamed": record.streamed,
        "cancelled": record.cancelled,
        "finish_reason": record.finish_reason,
        "native_finish_reason": record.native_finish_reason,
        "latency": record.latency_ms,
        "moderation_latency": None,
        "generation_time": record.generation_ms,
        **_counts(record),
        "usage": usd(record.cost),
        "total_cost": usd(record.cost),
        "cache_discount": _usd_or_none(record.cache_discount),
        "upstream_inference_cost": _usd_or_none(record.upstream_cost),
        "is_byok": record.is_byok,
        "app_id": app_id,
        "http_referer": record.app_referer,
        "origin": record.origin or "",
        "user_agent": record.user_agent,
        "external_user": record.external_user,
        "session_id": record.session_id,
        "preset_id": record.preset_id,
        "workspace_id": record.workspace_id or None,
        "data_region": record.data_region or ANYWHERE,
        "service_tier": record.service_tier,
        "web_search_engine": None,
        "response_cache_source_id": record.response_cache_source_id,
        "provider_responses": [_attempt_view(attempt) for attempt in record.attempts],
        **({"hedge_of": record.hedge_of} if record.hedge_of else {}),
    }


def _counts(record: GenerationRecord) -> dict[str, int | None]:
    return {
        "tokens_prompt": record.input_tokens,
        "tokens_completion": record.output_tokens,
        "native_tokens_prompt": record.input_tokens,
        "native_tokens_completion": record.output_tokens,
        "native_tokens_reasoning": record.reasoning_tokens,
        "native_tokens_cached": record.cached_tokens,
        "native_tokens_completion_images": record.image_tokens,
        "num_media_prompt": record.num_media_prompt,
        "num_media_completion": record.num_media_completion,
        "num_input_audio_prompt": record.num_input_audio_prompt,
        "num_search_results": record.num_search_results,
        "num_fetches": record.num_fetches,
    }


def _attempt_view(attempt: AttemptRecord) -> dict[str, object]:
    return {
        "id": attempt.upstream_id,
        "provider_name": attempt.provider_name,
        "endpoint_id": attempt.endpoint_id,
        "model_permaslug": attempt.model,
        "status": attempt.status or None,
        "latency": attempt.latency_ms,
        "is_byok": attempt.is_byok,
        "routed_service_tier": None,
        **({"hedge": attempt.hedge, "metered_as": attempt.metered_as} if attempt.hedge or attempt.metered_as else {}),
    }


def _usd_or_none(pico: int | None) -> float | None:
    return None if pico is None else usd(pico)


def _iso(unix_ms: int) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
