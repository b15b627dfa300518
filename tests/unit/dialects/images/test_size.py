"""The ways to say how large an image is to be."""

import pytest

from trunkline.dialects.images.size import RATIOS, TIERS, Size, proportion_of, size_of
from trunkline.errors import ApiError


def test_a_tier_may_stand_in_size() -> None:
    assert size_of("2K", None, "16:9") == size_of(None, "2K", "16:9") == size_of("2K", "2K", "16:9") == Size("2K", "16:9")
    assert size_of("auto", "1K", None) == Size("1K")
    assert size_of(None, None, None) == Size()


def test_pixels_decide() -> None:
    assert size_of("1536x1024", None, None).pixels == (1536, 1024)
    assert size_of("1536x1024", "1K", "3:2") == Size("1K", "3:2", (1536, 1024))
    assert size_of("1024x1024", None, "auto").proportion == 1.0


def test_proportions() -> None:
    assert Size(ratio="16:9").proportion == 16 / 9
    assert Size(ratio="auto").proportion is None and Size().proportion is None
    assert all(proportion_of(ratio) > 0 for ratio in RATIOS - {"auto"})
    assert len(RATIOS) == 22 and len(TIERS) == 4


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (("big", None, None), "size"),
        (("0x100", None, None), "size"),
        (("2K", "1K", None), "size"),
        (("1024x1024", "4K", None), "size"),
        (("1024x1024", None, "16:9"), "size"),
        ((None, "3K", None), "resolution"),
        ((None, None, "7:5"), "aspect_ratio"),
    ],
)
def test_contradictions_and_unknown_words(given: tuple[str | None, str | None, str | None], names: str) -> None:
    with pytest.raises(ApiError, match=f"^{names}: "):
        size_of(*given)
