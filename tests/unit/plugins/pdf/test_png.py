"""PNG files by hand, read by a reader that shares nothing with them."""

from hypothesis import given
from hypothesis import strategies as st
from pngs import pixels

from trunkline.plugins.pdf.png import grey_png


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 7), st.data())
def test_every_pixel_is_there_and_the_padding_is_not(width: int, height: int, padding: int, data: st.DataObject) -> None:
    rows = [data.draw(st.binary(min_size=width, max_size=width)) for _ in range(height)]
    png = grey_png(b"".join(row + b"\xee" * padding for row in rows), width, height, width + padding)
    assert pixels(png) == (width, height, b"".join(rows))
