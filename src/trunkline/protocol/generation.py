"""The record of one metered request: what `GET /generation` shows, and what ledger, activity and charts are made of."""

from typing import Final

from msgspec import Struct

CANCELLED: Final = "cancelled"
"""The error type of what was given up by this side: the caller left, or another attempt was faster."""


class AttemptRecord(Struct, frozen=True, gc=False, omit_defaults=True):
    """One try at one endpoint. `latency_ms` runs from sending to the outcome; `status` is the upstream's HTTP status, 0 when none came.

    `hedge`: it was made beside another attempt that was slow. The slower of the two has the error type CANCELLED, and what it cost is
    recorded as the generation `metered_as` ("gen-..."). `is_byok`: it was made with the caller's own credential."""

    provider_name: str
    endpoint_id: str
    model: str
    status: int
    latency_ms: int
    upstream_id: str | None = None
    error_type: str | None = None
    hedge: bool = False
    metered_as: str | None = None
    is_byok: bool = False


class GenerationRecord(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One generation, without bodies. Times are milliseconds, money pico-dollars, `id` the 16 bytes of a UUIDv7 (see `identity`).

    `created_ms` is when the request was accepted, `latency_ms` the time to the first content, `generation_ms` the whole time at the
    upstream. `cost` is what the key is charged; it is settled once by `id`. `structured_invalid`: whether the answer broke the form that
    was asked for (`response_format` and its likes), None where none was, or where that was not judged.
    `task`: the kind of task, None where nobody looked at that. `hedge_of` ("gen-..."): this is what an attempt cost upstream that was given
    up for the one whose answer that generation is; its key is charged nothing for it, and no sum counts it.
    """

    id: bytes
    created_ms: int
    key_hash: str
    workspace_id: str
    model: str
    endpoint_id: str
    provider_name: str
    api_type: str
    cost: int
    upstream_id: str | None = None
    request_id: str | None = None
    price_version: str = ""
    streamed: bool = False
    cancelled: bool = False
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    latency_ms: int | None = None
    generation_ms: int | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    image_tokens: int | None = None
    num_media_prompt: int | None = None
    num_media_completion: int | None = None
    num_input_audio_prompt: int | None = None
    num_search_results: int | None = None
    num_fetches: int | None = None
    usage_source: str = "upstream"
    upstream_cost: int | None = None
    cache_discount: int | None = None
    is_byok: bool = False
    app_referer: str | None = None
    app_title: str | None = None
    app_categories: tuple[str, ...] = ()
    origin: str | None = None
    user_agent: str | None = None
    external_user: str | None = None
    session_id: str | None = None
    preset_id: str | None = None
    router: str | None = None
    service_tier: str | None = None
    status: int = 200
    error_type: str | None = None
    tool_calls: int = 0
    tool_calls_invalid: int | None = None
    attempts: tuple[AttemptRecord, ...] = ()
    response_cache_source_id: str | None = None
    structured_invalid: bool | None = None
    task: str | None = None
    hedge_of: str | None = None
    data_region: str | None = None
