import msgspec
from hypothesis import given
from hypothesis import strategies as st
from openrouter.components.chatusage import ChatUsage

from trunkline.dialects.chat.usage import usage_json, usage_view
from trunkline.protocol.usage import Cost, Usage


def decoded(usage: Usage, cost: Cost) -> dict[str, object]:
    """What a caller reads."""
    return msgspec.json.decode(usage_json(usage, cost))


def test_the_view_has_the_shape_of_openrouter() -> None:
    usage = Usage(input_total=10, output_total=15, cache_read=2, cache_write_5m=3, cache_write_1h=4, reasoning=5)
    view = decoded(usage, Cost(total=1_200_000_000, prompt=800_000_000, completion=400_000_000))
    assert view == {
        "prompt_tokens": 10,
        "completion_tokens": 15,
        "total_tokens": 25,
        "cost": 0.0012,
        "is_byok": False,
        "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 7, "audio_tokens": 0, "video_tokens": 0},
        "cost_details": {
            "upstream_inference_cost": 0.0012,
            "upstream_inference_prompt_cost": 0.0008,
            "upstream_inference_completions_cost": 0.0004,
        },
        "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 0, "image_tokens": 0},
    }
    ChatUsage.model_validate(view)


def test_the_view_tells_the_rest_only_when_there_is_any() -> None:
    usage = Usage(accepted_prediction=0, rejected_prediction=7, web_searches=3, upstream_cost=5 * 10**11)
    view = decoded(usage, Cost(own_key=True))
    parsed = ChatUsage.model_validate(view)
    assert view["is_byok"] is True
    assert view["server_tool_use_details"] == {"web_search_requests": 3}
    assert parsed.cost_details.upstream_inference_cost == 0.5
    assert parsed.completion_tokens_details.accepted_prediction_tokens == 0
    assert parsed.completion_tokens_details.rejected_prediction_tokens == 7


@given(st.builds(Usage), st.builds(Cost, total=st.integers(0, 10**18), prompt=st.integers(0, 10**18), completion=st.integers(0, 10**18)))
def test_the_text_is_the_view_and_the_official_sdk_reads_it(usage: Usage, cost: Cost) -> None:
    read = decoded(usage, cost)
    assert read == msgspec.to_builtins(usage_view(usage, cost))
    parsed = ChatUsage.model_validate(read)
    assert parsed.total_tokens == usage.input_total + usage.output_total
    assert read["cost"] == cost.total / 10**12
