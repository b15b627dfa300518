import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.catalogue.query import CATEGORIES, SORTS, ModelQuery, parse_query
from trunkline.errors import ApiError


def test_nothing_asked() -> None:
    assert parse_query({}) == ModelQuery()
    assert parse_query({"q": [""], "limit": [], "unknown": ["1"]}) == ModelQuery()
    assert ModelQuery().output_modalities == ("text",)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("offset", "0", 0),
        ("limit", "1000", 1000),
        ("category", "marketing/seo", "marketing/seo"),
        ("supported_parameters", "tools, temperature", ("tools", "temperature")),
        ("input_modalities", "text,image", ("text", "image")),
        ("output_modalities", "image", ("image",)),
        ("output_modalities", "all", None),
        ("q", "gpt 5", "gpt 5"),
        ("context", "128000", 128000),
        ("min_price", "0.5", 0.5),
        ("distillable", "false", False),
        ("zdr", "true", True),
        ("region", "eu", "eu"),
        ("min_tool_success_rate", "0.9", 0.9),
        ("sort", "newest", "newest"),
        ("use_rss", "true", True),
        ("available", "true", True),
    ],
)
def test_each_parameter(name: str, text: str, value: object) -> None:
    assert getattr(parse_query({name: [text]}), name) == value


def test_a_list_may_be_given_as_several_parameters() -> None:
    assert parse_query({"model_authors": ["openai", "anthropic,google"]}).model_authors == ("openai", "anthropic", "google")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("offset", "-1"),
        ("offset", "1.5"),
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "٣"),
        ("limit", "9" * 30),
        ("category", "cooking"),
        ("input_modalities", "smell"),
        ("output_modalities", "file"),
        ("context", "0"),
        ("min_price", "-1"),
        ("max_price", "nan"),
        ("max_output_price", "inf"),
        ("distillable", "yes"),
        ("zdr", "false"),
        ("region", "mars"),
        ("min_age_days", "x"),
        ("max_tool_success_rate", "1.1"),
        ("sort", "price"),
        ("use_rss", "1"),
        ("available", "maybe"),
    ],
)
def test_a_bad_value_names_the_parameter(name: str, text: str) -> None:
    with pytest.raises(ApiError, match=f"Query parameter `{name}`: ") as caught:
        parse_query({name: [text]})
    assert (caught.value.error_type, caught.value.status) == ("invalid_request", 400)


def test_the_lists_have_the_contracts_length() -> None:
    assert (len(CATEGORIES), len(SORTS)) == (12, 12)


@given(st.sampled_from(ModelQuery.__struct_fields__), st.text(max_size=20))
def test_any_text_is_a_value_or_an_api_error(name: str, text: str) -> None:
    try:
        assert isinstance(parse_query({name: [text]}), ModelQuery)
    except ApiError as error:
        assert name in error.message
