"""What addresses promise, and what they do not."""

import pytest

from trunkline.errors import ConfigError
from trunkline.providers.google import vertex_base
from trunkline.providers.regions import promised, region_named


def bedrock(region: str) -> str:
    return f"https://bedrock-runtime.{region}.amazonaws.com"


@pytest.mark.parametrize(
    ("base_url", "model", "region"),
    [
        (bedrock("eu-central-1"), "anthropic.claude-sonnet-4-5-v1:0", "europe"),
        (bedrock("us-west-2"), "meta.llama3-1-70b-instruct-v1:0", "us"),
        (bedrock("eu-central-1"), "eu.anthropic.claude-sonnet-4-5-v1:0", "europe"),
        (bedrock("eu-central-2"), "eu.anthropic.claude-sonnet-4-5-v1:0", ""),
        (bedrock("us-east-1"), "us.anthropic.claude-sonnet-4-5-v1:0", "us"),
        (bedrock("us-east-1"), "eu.anthropic.claude-sonnet-4-5-v1:0", ""),
        (bedrock("eu-central-1"), "global.anthropic.claude-sonnet-4-5-v1:0", ""),
        (bedrock("us-east-1"), "jp.anthropic.claude-sonnet-4-5-v1:0", ""),
        (bedrock("us-east-1"), "apac.amazon.nova-pro-v1:0", ""),
        (bedrock("us-east-1"), "arn:aws:bedrock:us-east-1:1:application-inference-profile/x", ""),
        (bedrock("eu-west-2"), "amazon.nova-pro-v1:0", ""),
        (bedrock("eu-central-2"), "amazon.nova-pro-v1:0", ""),
        (bedrock("ap-south-1"), "amazon.nova-pro-v1:0", ""),
        (bedrock("us-gov-west-1"), "amazon.nova-pro-v1:0", ""),
        (vertex_base("p-project", "europe-west4"), "gemini-3-pro", "europe"),
        (vertex_base("p-project", "us-central1"), "gemini-3-pro", "us"),
        (vertex_base("p-project", "eu"), "gemini-3-pro", "europe"),
        (vertex_base("p-project", "us"), "gemini-3-pro", "us"),
        (vertex_base("p-project", "global"), "gemini-3-pro", ""),
        (vertex_base("p-project", "europe-west2"), "gemini-3-pro", ""),
        ("https://eu.api.example.com/v1", "m", ""),
        ("https://bedrock-runtime.eu-central-1.amazonaws.com.example.com", "m", ""),
        ("env:SOME_BASE_URL", "m", ""),
        ("", "m", ""),
    ],
)
def test_a_region_is_promised_only_where_the_vendor_says_so(base_url: str, model: str, region: str) -> None:
    assert promised(base_url, model) == region


def test_an_operator_names_regions_in_short_or_in_full() -> None:
    assert [region_named(word, "w") for word in ("eu", "europe", "us", "global")] == ["europe", "europe", "us", "global"]


@pytest.mark.parametrize("word", ["EU", "de", "", "eu-central-1"])
def test_another_word_is_an_error_that_names_the_key(word: str) -> None:
    with pytest.raises(ConfigError, match=r"endpoints\[0\]\.region"):
        region_named(word, "trunkline.toml: endpoints[0].region")
