"""Contract 3.1, the table of slug matching."""

import pytest
from endpoints import endpoint

from trunkline.routing.slugs import matches, position


@pytest.mark.parametrize(
    ("slug", "tag", "named"),
    [
        ("deepinfra", "deepinfra", True),
        ("deepinfra", "deepinfra/turbo", True),
        ("deepinfra/turbo", "deepinfra/turbo", True),
        ("deepinfra/turbo", "deepinfra", False),
        ("google-vertex", "google-vertex/us-east5", True),
        ("google-vertex", "google", False),
        ("google", "google-vertex", False),
        ("openai", "openai/priority", False),
        ("openai/priority", "openai/priority", True),
        ("google-vertex", "google-vertex/flex", False),
        ("DeepInfra", "deepinfra/fp8", True),
        ("", "deepinfra", False),
    ],
)
def test_matching(slug: str, tag: str, named: bool) -> None:
    assert matches(slug, endpoint(tag)) is named


def test_position_is_that_of_the_first_slug_that_names_it() -> None:
    assert position(["b", "a", "a"], endpoint("a")) == 1
    assert position(["b"], endpoint("a")) is None
    assert position([], endpoint("a")) is None
