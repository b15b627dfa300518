"""Files under names that change with them, and the style sheet's own promises."""

import hashlib
import re

import pytest

from trunkline.pages import snippets
from trunkline.pages.assets import Assets

ASSETS = Assets()
CSS = ASSETS.plain("site.css").content.decode()
TOKENS = {name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", CSS)}
TEXT, SHAPE = 4.5, 3.0
"""The contrast that WCAG 2.2 asks for at level AA: of text (1.4.3), of lines and dots that mean something (1.4.11)."""

PAIRS = [
    ("ink", "paper", TEXT),
    ("ink", "panel", TEXT),
    ("paper", "ink", TEXT),
    ("quiet", "paper", TEXT),
    ("quiet", "panel", TEXT),
    ("paper", "quiet", TEXT),
    ("good", "paper", TEXT),
    ("good", "panel", TEXT),
    ("line", "paper", TEXT),
    ("warn-ink", "warn-panel", TEXT),
    ("edge", "paper", SHAPE),
    ("edge", "panel", SHAPE),
    ("warn-edge", "paper", SHAPE),
]


def luminance(colour: str) -> float:
    """The relative luminance of WCAG."""
    channels = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_names_carry_the_hash_of_the_content() -> None:
    for name, hashed in ASSETS.names.items():
        asset = ASSETS.find(hashed)
        assert asset is not None
        assert hashlib.sha256(asset.content).hexdigest()[:12] in hashed
        assert ASSETS.path(name) == f"/static/{hashed}"


def test_unknown_files() -> None:
    assert ASSETS.find("site.css") is None
    assert ASSETS.find("site-000000000000.css") is None
    with pytest.raises(KeyError):
        ASSETS.path("other.css")


def test_the_measure_of_contrast_is_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back", "wanted"), PAIRS)
def test_colours_are_told_apart(front: str, back: str, wanted: float, scheme: int) -> None:
    assert contrast(TOKENS[front][scheme], TOKENS[back][scheme]) >= wanted


def test_colours_stand_in_tokens_only() -> None:
    outside = re.sub(r"light-dark\([^)]*\)", "", CSS)
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)", outside)


def test_the_sheet_shows_each_language_of_the_snippets() -> None:
    for snippet in snippets.snippets_of("", ""):
        assert f'.calling:has(#language-{snippet.slug}:checked) [data-language="{snippet.slug}"]' in CSS
