import msgspec

from trunkline.dialects.messages.usage import UsageView, usage_view
from trunkline.protocol.usage import Cost, Usage

REQUIRED = {
    *("input_tokens", "output_tokens", "output_tokens_details", "cache_creation_input_tokens", "cache_read_input_tokens"),
    *("cache_creation", "inference_geo", "server_tool_use", "service_tier"),
}


def view(usage: Usage, cost: Cost | None = None, tier: str | None = None) -> dict[str, object]:
    return msgspec.to_builtins(usage_view(usage, cost or Cost(), service_tier=tier))  # type: ignore[no-any-return]


def test_bug_10_input_tokens_leave_out_the_cache() -> None:
    out = view(Usage(input_total=100, cache_read=60, cache_write_5m=10, cache_write_1h=5, output_total=7))
    assert out["input_tokens"] == 25
    assert out["cache_read_input_tokens"] == 60
    assert out["cache_creation_input_tokens"] == 15
    assert out["cache_creation"] == {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 5}


def test_a_cache_larger_than_the_input_leaves_nothing_below_zero() -> None:
    assert view(Usage(input_total=5, cache_read=9))["input_tokens"] == 0


def test_all_of_anthropics_fields_are_there() -> None:
    assert view(Usage()).keys() >= REQUIRED
    assert msgspec.to_builtins(UsageView()).keys() == REQUIRED


def test_what_was_not_said_is_null_and_zero_is_a_value() -> None:
    assert view(Usage())["output_tokens_details"] is None
    assert view(Usage(output_total=3, reasoning=0))["output_tokens_details"] == {"thinking_tokens": 0}
    assert view(Usage(web_searches=2))["server_tool_use"] == {"web_search_requests": 2, "web_fetch_requests": 0}


def test_cost_is_in_dollars() -> None:
    out = view(Usage(), Cost(total=2_000_000_000_000, prompt=500_000_000_000, completion=1_500_000_000_000))
    assert out["cost"] == 2.0
    assert out["cost_details"] == {
        "upstream_inference_cost": 2.0,
        "upstream_inference_prompt_cost": 0.5,
        "upstream_inference_completions_cost": 1.5,
    }
    assert view(Usage(upstream_cost=10**12))["cost_details"]["upstream_inference_cost"] == 1.0  # type: ignore[index]


def test_the_base_tier_is_called_standard() -> None:
    assert [view(Usage(), tier=tier)["service_tier"] for tier in (None, "default", "auto", "priority", "batch")] == [
        "standard",
        "standard",
        "standard",
        "priority",
        "batch",
    ]
