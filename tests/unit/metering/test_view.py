from collections.abc import Callable

import msgspec
from openrouter.components.generationresponse import GenerationResponse

from trunkline.metering.view import generation_view
from trunkline.protocol.generation import AttemptRecord, GenerationRecord
from trunkline.protocol.identity import generation_text


def parse(view: dict[str, object]) -> GenerationResponse:
    """As the official SDK reads it: every required key must be there."""
    return GenerationResponse.model_validate(msgspec.json.decode(msgspec.json.encode({"data": view})))


def test_the_official_sdk_accepts_the_barest_record(record: Callable[..., GenerationRecord]) -> None:
    bare = record(provider_name="", workspace_id="")
    data = parse(generation_view(bare)).data
    assert data.id == generation_text(bare.id)
    assert data.created_at == "2026-11-23T02:13:20.000Z"
    assert data.total_cost == data.usage == 1e-6
    assert data.provider_name is None
    assert data.origin == ""
    assert data.data_region == "global"
    assert data.provider_responses == []


def test_every_key_of_the_sdk_is_named(record: Callable[..., GenerationRecord]) -> None:
    fields = set(GenerationResponse.model_fields["data"].annotation.model_fields)
    assert fields == set(generation_view(record()))


def test_what_is_known_is_told(record: Callable[..., GenerationRecord]) -> None:
    full = record(
        request_id="req-1",
        streamed=True,
        cancelled=True,
        finish_reason="stop",
        latency_ms=12,
        generation_ms=345,
        reasoning_tokens=7,
        cached_tokens=0,
        image_tokens=3,
        upstream_cost=2 * 10**12,
        cache_discount=-(10**11),
        app_referer="https://app.example",
        origin="https://site.example",
        response_cache_source_id="gen-1",
        attempts=(
            AttemptRecord("Acme", "acme/x", "acme/echo-1", 503, 40, error_type="provider_overloaded"),
            AttemptRecord("Zeta", "zeta/x", "acme/echo-1", 0, 30),
        ),
    )
    data = parse(generation_view(full, app_id=5)).data
    assert (data.latency, data.generation_time, data.streamed, data.cancelled) == (12, 345, True, True)
    assert (data.tokens_prompt, data.native_tokens_prompt, data.tokens_completion, data.native_tokens_completion) == (100, 100, 20, 20)
    assert (data.native_tokens_reasoning, data.native_tokens_cached, data.native_tokens_completion_images) == (7, 0, 3)
    assert (data.upstream_inference_cost, data.cache_discount) == (2.0, -0.1)
    assert (data.app_id, data.http_referer, data.origin, data.request_id) == (5, "https://app.example", "https://site.example", "req-1")
    assert data.response_cache_source_id == "gen-1"
    assert [(one.provider_name, one.status, one.latency) for one in data.provider_responses] == [("Acme", 503, 40), ("Zeta", None, 30)]


def test_attempts_beside_each_other_lead_to_what_the_slower_one_cost(record: Callable[..., GenerationRecord]) -> None:
    slow = AttemptRecord("Acme", "e1", "a/m", 0, 800, None, "cancelled", metered_as="gen-2-x")
    answered = generation_view(record(attempts=(slow, AttemptRecord("Zeta", "e2", "a/m", 200, 90, hedge=True))))
    first, second = answered["provider_responses"]  # type: ignore[misc]
    assert (first["status"], first["hedge"], first["metered_as"]) == (None, False, "gen-2-x")
    assert (second["status"], second["hedge"], second["metered_as"]) == (200, True, None)
    assert "hedge_of" not in answered
    lost = generation_view(record(cost=0, upstream_cost=3_000_000, hedge_of="gen-1-x"))
    assert (lost["total_cost"], lost["upstream_inference_cost"], lost["hedge_of"]) == (0, 3e-06, "gen-1-x")
    parse(answered)
    parse(lost)


def test_the_region_and_the_credentials_that_served_are_told(record: Callable[..., GenerationRecord]) -> None:
    own = AttemptRecord("Acme", "e1", "a/m", 500, 40, None, "provider_unavailable", is_byok=True)
    view = generation_view(record(attempts=(own, AttemptRecord("Zeta", "e2", "a/m", 200, 30)), data_region="europe"))
    assert view["data_region"] == "europe"
    assert [one["is_byok"] for one in view["provider_responses"]] == [True, False]  # type: ignore[attr-defined]
