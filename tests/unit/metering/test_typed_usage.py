import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.metering.typed_usage import MAX_COUNT, read_typed, upstream_cost
from trunkline.metering.usage import CHAT, build, read_counts
from trunkline.protocol.usage import Usage

counts = (
    st.none()
    | st.integers(0, 50)
    | st.sampled_from([-1, 3.0, 2.5, True, "4", MAX_COUNT, MAX_COUNT + 1, 2**70, float("nan"), float("inf"), []])
)
prompts = st.fixed_dictionaries(
    {}, optional={f"{name}_tokens": counts for name in ("cached", "cache_write", "audio", "image", "video", "text")}
)
completions = st.fixed_dictionaries(
    {},
    optional={f"{name}_tokens": counts for name in ("reasoning", "audio", "image", "accepted_prediction", "rejected_prediction")},
)
usages = st.fixed_dictionaries(
    {"prompt_tokens": counts, "completion_tokens": counts},
    optional={
        "prompt_tokens_details": prompts | st.none() | st.just([1]),
        "completion_tokens_details": completions | st.none() | st.just("x"),
        "num_cached_tokens": counts,
        "reasoning_tokens": counts,
        "num_search_queries": counts,
        "server_tool_use_details": st.fixed_dictionaries({"web_search_requests": counts}) | st.none(),
        "cost": st.none() | st.floats() | st.integers() | st.booleans() | st.text(max_size=3),
        "total_tokens": counts,
    },
)
OPENAI = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 64,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 5,
    },
}


@given(usages)
def test_what_it_reads_the_walk_reads_alike(raw: dict[str, object]) -> None:
    usage = read_typed(raw)
    if usage is not None:
        assert usage == build(read_counts(raw, CHAT), upstream_cost(raw.get("cost")))


@pytest.mark.parametrize("raw", [OPENAI, {"prompt_tokens": 14, "completion_tokens": 51}, {}, {**OPENAI, "cost": 0.5}])
def test_the_usual_shapes_go_the_short_way(raw: dict[str, object]) -> None:
    assert read_typed(raw) is not None


def test_each_count_has_its_field() -> None:
    assert read_typed({**OPENAI, "cost": 0.5}) == Usage(
        input_total=2006,
        output_total=300,
        cache_read=1920,
        input_audio=0,
        reasoning=64,
        output_audio=0,
        accepted_prediction=0,
        rejected_prediction=5,
        upstream_cost=5 * 10**11,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"prompt_tokens": "12"},
        {"completion_tokens": -1},
        {"prompt_tokens": 100},
        {"completion_tokens": 63},
        {"prompt_tokens_details": [1]},
        {"num_cached_tokens": 3},
        {"reasoning_tokens": 3},
        {"server_tool_use_details": {"web_search_requests": 2}},
    ],
)
def test_the_rest_is_left_to_the_walk(change: dict[str, object]) -> None:
    assert read_typed({**OPENAI, **change}) is None


@pytest.mark.parametrize(
    ("value", "pico"), [(0.5, 5 * 10**11), (0, 0), (-1, None), (True, None), ("1", None), (float("nan"), None), (None, None)]
)
def test_what_an_upstream_charged(value: object, pico: int | None) -> None:
    assert upstream_cost(value) == pico
