import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.metering.typed_usage import MAX_COUNT
from trunkline.metering.usage import build, normalise, read_counts, table
from trunkline.protocol.catalogue import Dialect
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.usage import Usage

PLAIN = Quirks()

ROWS = {
    "openai": (
        PLAIN,
        {
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
        },
        Usage(
            input_total=2006,
            output_total=300,
            cache_read=1920,
            input_audio=0,
            reasoning=64,
            output_audio=0,
            accepted_prediction=0,
            rejected_prediction=5,
        ),
    ),
    "bare": (PLAIN, {"prompt_tokens": 14, "completion_tokens": 51, "total_tokens": 65}, Usage(input_total=14, output_total=51)),
    "mistral": (
        PLAIN,
        {"prompt_tokens": 64, "completion_tokens": 6, "num_cached_tokens": 32},
        Usage(input_total=64, output_total=6, cache_read=32),
    ),
    "xai": (
        Quirks(reasoning_outside_completion=True),
        {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "total_tokens": 135,
            "prompt_tokens_details": {"text_tokens": 32, "cached_tokens": 8},
            "completion_tokens_details": {"reasoning_tokens": 94},
        },
        Usage(input_total=32, output_total=103, cache_read=8, reasoning=94),
    ),
    "deepseek": (
        Quirks(cache_hit_key="prompt_cache_hit_tokens"),
        {"prompt_tokens": 300, "completion_tokens": 10, "prompt_cache_hit_tokens": 256, "prompt_cache_miss_tokens": 44},
        Usage(input_total=300, output_total=10, cache_read=256),
    ),
    "details before the cache hit key": (
        Quirks(cache_hit_key="prompt_cache_hit_tokens"),
        {"prompt_tokens": 300, "prompt_cache_hit_tokens": 256, "prompt_tokens_details": {"cached_tokens": 0}},
        Usage(input_total=300, cache_read=0),
    ),
    "openrouter": (
        PLAIN,
        {
            "prompt_tokens": 14,
            "completion_tokens": 4,
            "cost": 0.000102,
            "is_byok": False,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 10, "audio_tokens": 0, "video_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "image_tokens": 0, "audio_tokens": 0},
            "server_tool_use_details": {"web_search_requests": 2},
        },
        Usage(
            input_total=14,
            output_total=4,
            cache_read=0,
            cache_write_5m=10,
            input_audio=0,
            input_video=0,
            reasoning=0,
            output_image=0,
            output_audio=0,
            web_searches=2,
            upstream_cost=102_000_000,
        ),
    ),
    "details are null": (PLAIN, {"prompt_tokens": 1, "prompt_tokens_details": None}, Usage(input_total=1)),
    "nonsense": (
        PLAIN,
        {"prompt_tokens": "12", "completion_tokens": True, "cost": "free", "prompt_tokens_details": [1]},
        Usage(),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_vendor_rows(name: str) -> None:
    quirks, raw, expected = ROWS[name]
    assert normalise(raw, quirks) == expected


def test_zero_is_a_value_and_missing_is_none() -> None:
    zero = normalise({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 0}}, PLAIN)
    missing = normalise({"prompt_tokens": 5}, PLAIN)
    assert zero.cache_read == 0
    assert missing.cache_read is None


def test_parts_are_clamped_to_their_total_together() -> None:
    raw = {
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 80, "cache_write_tokens": 80, "audio_tokens": 999},
        "completion_tokens_details": {"reasoning_tokens": -4},
    }
    usage = normalise(raw, PLAIN)
    assert (usage.cache_read, usage.cache_write_5m, usage.input_audio, usage.reasoning) == (80, 20, 100, 0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
details = st.dictionaries(
    st.sampled_from(["cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "video_tokens", "reasoning_tokens"]),
    json_values,
)
usages = st.dictionaries(
    st.sampled_from(
        ["prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details", "num_cached_tokens", "cost", "hits"]
    ),
    json_values | details | st.integers(0, 1000),
)


@given(usages, st.booleans())
def test_any_object_gives_a_usage_that_holds_its_invariants(raw: dict[str, object], outside: bool) -> None:
    usage = normalise(raw, Quirks(reasoning_outside_completion=outside, cache_hit_key="hits"))
    counts = msgspec.structs.asdict(usage)
    assert all(isinstance(count, int) and count >= 0 for name, count in counts.items() if name != "source" and count is not None)
    assert max(usage.input_total, usage.output_total) <= MAX_COUNT
    cache = (usage.cache_read or 0) + (usage.cache_write_5m or 0) + (usage.cache_write_1h or 0)
    modalities = (usage.input_audio or 0) + (usage.input_image or 0) + (usage.input_video or 0)
    assert max(cache, modalities) <= usage.input_total
    assert max(usage.reasoning or 0, (usage.output_audio or 0) + (usage.output_image or 0)) <= usage.output_total


def test_a_table_adds_the_parts_that_a_total_leaves_out() -> None:
    rules = table(
        {
            "input_tokens": "input_total",
            "cache_read_input_tokens": "cache_read",
            "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
        },
        input_extra=("cache_read", "cache_write_5m"),
    )
    raw = {"input_tokens": 10, "cache_read_input_tokens": 100, "cache_creation": {"ephemeral_5m_input_tokens": 1000}}
    usage = build(read_counts(raw, rules))
    assert (usage.input_total, usage.cache_read, usage.cache_write_5m) == (1110, 100, 1000)


def test_a_table_refuses_a_path_through_a_count() -> None:
    with pytest.raises(ValueError, match=r"a\.b"):
        table({"a": "input_total", "a.b": "cache_read"})


@pytest.mark.parametrize(
    ("dialect", "raw", "expected"),
    [
        (
            "responses",
            {
                "input_tokens": 100,
                "input_tokens_details": {"cached_tokens": 40},
                "output_tokens": 9,
                "output_tokens_details": {"reasoning_tokens": 4},
            },
            Usage(100, 9, cache_read=40, reasoning=4),
        ),
        (
            "messages",
            {
                "input_tokens": 10,
                "cache_read_input_tokens": 30,
                "cache_creation_input_tokens": 60,
                "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 40},
                "output_tokens": 7,
                "server_tool_use": {"web_search_requests": 2},
            },
            Usage(100, 7, cache_read=30, cache_write_5m=20, cache_write_1h=40, web_searches=2),
        ),
        (
            "messages",
            {"input_tokens": 10, "cache_creation_input_tokens": 60, "output_tokens": 7},
            Usage(70, 7, cache_write_5m=60),
        ),
        (
            "converse",
            {
                "inputTokens": 10,
                "outputTokens": 5,
                "totalTokens": 65,
                "cacheReadInputTokens": 20,
                "cacheWriteInputTokens": 30,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 30}, {"ttl": "5m", "inputTokens": 0}],
            },
            Usage(60, 5, cache_read=20, cache_write_5m=0, cache_write_1h=30),
        ),
        (
            "gemini",
            {
                "promptTokenCount": 50,
                "toolUsePromptTokenCount": 5,
                "candidatesTokenCount": 10,
                "thoughtsTokenCount": 20,
                "cachedContentTokenCount": 8,
                "webSearchQueries": 2,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 44}, {"modality": "AUDIO", "tokenCount": 6}],
                "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 3}],
            },
            Usage(55, 30, cache_read=8, reasoning=20, input_audio=6, output_image=3, web_searches=2),
        ),
        (
            "cohere",
            {"billed_units": {"input_tokens": 5, "output_tokens": 6}, "tokens": {"input_tokens": 71, "output_tokens": 7}},
            Usage(5, 6),
        ),
        ("cohere", {"tokens": {"input_tokens": 71, "output_tokens": 7}}, Usage(71, 7)),
        ("gemini", {"promptTokensDetails": "nonsense", "promptTokenCount": None}, Usage()),
    ],
)
def test_each_dialect_has_its_names(dialect: Dialect, raw: dict[str, object], expected: Usage) -> None:
    assert normalise(raw, PLAIN, dialect) == expected
