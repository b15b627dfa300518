"""Contract 3.1, the table of slug matching."""

import pytest
from endpoints import endpoint

from trunkline.routing.slugs import matches, positions, tier_of


@pytest.mark.parametrize(
    ("slug", "tag", "named"),
    [
        ("deepinfra", "deepinfra", True),
        ("deepinfra", "deepinfra/turbo", True),
        ("deepinfra/turbo", "deepinfra/turbo", True),
        ("deepinfra/turbo", "deepinfra", False),
        ("google-vertex", "google-vertex/us-east5", True),
        ("google-vertex/us-east5", "google-vertex/us-east5", True),
        ("google-vertex/us-east5", "google-vertex/europe", False),
        ("google-vertex", "google", False),
        ("google", "google-vertex", False),
        ("openai", "openai/priority", False),
        ("openai/priority", "openai/priority", True),
        ("openai/priority", "openai", False),
        ("google-vertex", "google-vertex/flex", False),
        ("google-vertex", "google-vertex/us-east5/flex", False),
        ("DeepInfra", "deepinfra/fp8", True),
        ("deepinfra/fp8", "deepinfra/FP8", True),
        ("", "deepinfra", False),
    ],
)
def test_matching(slug: str, tag: str, named: bool) -> None:
    assert matches(slug, endpoint(tag)) is named


def test_positions_are_those_of_the_first_slug_that_names_each() -> None:
    fleet = [endpoint(tag) for tag in ("a", "b/x", "c", "a/flex")]
    assert positions(("b", "a", "b/x", "a"), fleet) == [1, 0, 4, 4]
    assert positions(("b/x", "a/flex", "b"), fleet) == [3, 0, 3, 1]
    assert positions((), fleet) == [0, 0, 0, 0]


def test_ten_thousand_slugs_cost_one_table() -> None:
    many = tuple(f"provider-{number}" for number in range(10_000))
    assert positions(many, [endpoint("provider-9999"), endpoint("other")]) == [9_999, 10_000]


@pytest.mark.parametrize(
    ("tag", "tier"),
    [("a", ""), ("a/turbo", ""), ("a/flex", "flex"), ("a/Priority", "priority"), ("a/us-east5/fast", "fast"), ("a/flexible", "")],
)
def test_tiers(tag: str, tier: str) -> None:
    assert tier_of(tag) == tier


def test_a_provider_may_be_called_like_a_tier() -> None:
    assert tier_of("flex") == ""
