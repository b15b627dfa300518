"""Text and pictures of a PDF, by pdfium. Only the child process imports this module: pdfium is 8 MB of native code that reads hostile
files."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

import pypdfium2
from pypdfium2 import raw

from trunkline.plugins.pdf.job import MAX_CHARACTERS, MAX_PAGES, Pages, Picture, Unreadable
from trunkline.plugins.pdf.png import grey_png

LONGEST_SIDE: Final = 1400
"""Pixels of a picture's longer side: text of ten points on A4 stays readable."""
MAX_SOURCE_PIXELS: Final = 60_000_000
"""A page with an image larger than this is not drawn: decoding it would take more memory than the child has."""
_POINTS_AN_INCH: Final = 72
_SHARPEST: Final = 200 / _POINTS_AN_INCH


class Reader:
    """One file. Raises Unreadable when it is damaged, encrypted or has too many pages."""

    def __init__(self, pdf: bytes) -> None:
        try:
            self._document = pypdfium2.PdfDocument(pdf)
        except pypdfium2.PdfiumError as error:
            raise Unreadable("encrypted" if error.err_code == raw.FPDF_ERR_PASSWORD else "damaged") from None
        if len(self._document) > MAX_PAGES:
            self.close()
            raise Unreadable("pages")

    def close(self) -> None:
        """Let go of the file."""
        self._document.close()

    def pages(self) -> Pages:
        """The text of all pages; a page that cannot be read has none. Raises Unreadable for too much of it."""
        texts: list[str] = []
        bare: list[int] = []
        left = MAX_CHARACTERS
        for number in range(len(self._document)):
            text, shows = self._text(number)
            left -= len(text)
            if left < 0:
                raise Unreadable("text")
            texts.append(text)
            if shows and not text:
                bare.append(number + 1)
        return Pages(tuple(texts), tuple(bare))

    def pictures(self, numbers: Sequence[int]) -> tuple[Picture, ...]:
        """Pictures of these pages (from 1); one that cannot be drawn is left out."""
        return tuple([Picture(number, png) for number in numbers if (png := self._drawn(number - 1))])

    def _text(self, index: int) -> tuple[str, bool]:
        """A page's text without the space around it, and whether the page shows an image."""
        try:
            with closing(self._document[index]) as page:
                with closing(page.get_textpage()) as text:
                    found = text.get_text_bounded().replace("\r\n", "\n").replace("\0", "").strip()
                return found, not found and any(True for _ in _images(page))
        except pypdfium2.PdfiumError:
            return "", False

    def _drawn(self, index: int) -> bytes:
        try:
            with closing(self._document[index]) as page:
                if any(width * height > MAX_SOURCE_PIXELS for width, height in (one.get_px_size() for one in _images(page))):
                    return b""
                longest = max(page.get_size())
                scale = min(_SHARPEST, LONGEST_SIDE / max(longest, 1))
                with closing(page.render(scale=scale, grayscale=True)) as bitmap:
                    return grey_png(bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride)
        except pypdfium2.PdfiumError:
            return b""


def _images(page: Any) -> Any:
    """The image objects of a page."""
    return page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3)
