"""The tier that served, whatever the vendor calls it."""

import pytest

from trunkline.dialects.tiers import served


@pytest.mark.parametrize(
    ("word", "tier"),
    [
        ("default", "default"),
        ("auto", "default"),
        ("standard", "default"),
        ("on_demand", "default"),
        ("flex", "flex"),
        ("fast", "priority"),
        ("priority", "priority"),
        ("scale", "scale"),
        ("", None),
        ("platinum", None),
        (None, None),
        (7, None),
        (["flex"], None),
    ],
)
def test_the_words_of_vendors(word: object, tier: str | None) -> None:
    assert served(word) == tier
