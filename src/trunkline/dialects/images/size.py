"""How large an image is to be: a tier, an aspect ratio, or pixels (contract 5.6)."""

import re
from typing import Final

from msgspec import Struct

from trunkline.errors import ApiError

TIERS: Final = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}
"""Pixels of the side of a square."""
RATIOS: Final = frozenset(
    (
        *("1:1", "1:2", "1:4", "1:8", "2:1", "2:3", "3:2", "3:4", "4:1", "4:3", "4:5", "5:4", "8:1", "9:16", "16:9", "9:19.5"),
        *("19.5:9", "9:20", "20:9", "9:21", "21:9", "auto"),
    )
)
_PIXELS: Final = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})")
_TOLERANCE: Final = 0.05
"""Pixels come in steps, so that a ratio of theirs is rarely exact."""


class Size(Struct, frozen=True):
    """What was asked: a tier, a ratio, exact pixels (which decide), or nothing."""

    tier: str | None = None
    ratio: str | None = None
    pixels: tuple[int, int] | None = None

    @property
    def proportion(self) -> float | None:
        """Width by height; None where it is the upstream's to choose."""
        if self.pixels is not None:
            return self.pixels[0] / self.pixels[1]
        return None if self.ratio in (None, "auto") else proportion_of(str(self.ratio))


def size_of(size: str | None, resolution: str | None, ratio: str | None) -> Size:
    """The three parameters together. Raises ApiError("invalid_request") for words that are none and for a contradiction."""
    if resolution is not None and resolution not in TIERS:
        raise ApiError("invalid_request", f"resolution: Expected one of {', '.join(TIERS)}")
    if ratio is not None and ratio not in RATIOS:
        raise ApiError("invalid_request", "aspect_ratio: Expected a ratio such as 1:1, 16:9 or auto")
    if size is None or size == "auto":
        return Size(resolution, ratio)
    if size in TIERS:
        if resolution not in (None, size):
            raise ApiError("invalid_request", f"size: Contradicts resolution ({resolution})")
        return Size(size, ratio)
    match = _PIXELS.fullmatch(size)
    if match is None:
        raise ApiError("invalid_request", "size: Expected a tier such as 1K, or pixels such as 1024x1536")
    return _exact((int(match[1]), int(match[2])), resolution, ratio)


def proportion_of(ratio: str) -> float:
    """Width by height of a ratio such as 16:9."""
    width, _, height = ratio.partition(":")
    return float(width) / float(height)


def _exact(pixels: tuple[int, int], resolution: str | None, ratio: str | None) -> Size:
    proportion = pixels[0] / pixels[1]
    if ratio not in (None, "auto") and abs(proportion / proportion_of(str(ratio)) - 1) > _TOLERANCE:
        raise ApiError("invalid_request", f"size: Contradicts aspect_ratio ({ratio})")
    side = (pixels[0] * pixels[1]) ** 0.5
    if resolution is not None and not TIERS[resolution] / 2**0.5 <= side < TIERS[resolution] * 2**0.5:
        raise ApiError("invalid_request", f"size: Contradicts resolution ({resolution})")
    return Size(resolution, ratio, pixels)
