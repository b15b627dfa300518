import msgspec

from trunkline.dialects.responses.usage import usage_json
from trunkline.protocol.usage import Cost, Usage

PICO = 10**12


def test_usage_has_the_dialects_names_and_money() -> None:
    usage = Usage(input_total=100, output_total=50, cache_read=40, cache_write_5m=7, cache_write_1h=3, reasoning=20, web_searches=2)
    assert msgspec.json.decode(usage_json(usage, Cost(3 * PICO, PICO, 2 * PICO))) == {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 10},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": 150,
        "cost": 3.0,
        "is_byok": False,
        "cost_details": {"upstream_inference_cost": 3.0, "upstream_inference_input_cost": 1.0, "upstream_inference_output_cost": 2.0},
        "server_tool_use_details": {"web_search_requests": 2},
    }


def test_what_is_not_known_is_zero_and_the_upstreams_cost_counts() -> None:
    view = msgspec.json.decode(usage_json(Usage(upstream_cost=PICO // 2), Cost(own_key=True)))
    assert view["input_tokens_details"] == {"cached_tokens": 0, "cache_write_tokens": 0}
    assert view["output_tokens_details"] == {"reasoning_tokens": 0}
    assert view["cost_details"]["upstream_inference_cost"] == 0.5
    assert view["is_byok"] is True
    assert "server_tool_use_details" not in view
