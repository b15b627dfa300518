"""pdfium: text, pictures, and files that are refused."""

import pdfs
import pytest
from pngs import pixels

from trunkline.plugins.pdf import reader as module
from trunkline.plugins.pdf.job import Pages, Unreadable
from trunkline.plugins.pdf.reader import Reader


def reason(pdf: bytes) -> str:
    with pytest.raises(Unreadable) as told:
        Reader(pdf).pages()
    return told.value.reason


def test_text_in_the_order_of_pages() -> None:
    reader = Reader(pdfs.pdf("One (1)", "Two\nlines", ""))
    assert reader.pages() == Pages(("One (1)", "Two\nlines", ""))
    reader.close()


def test_pages_that_show_something_without_text_are_bare() -> None:
    reader = Reader(pdfs.scan(count=2))
    assert reader.pages() == Pages(("", ""), (1, 2))
    [picture] = reader.pictures((2,))
    assert picture.page == 2
    width, height, shown = pixels(picture.png)
    assert max(width, height) <= module.LONGEST_SIDE and width * 4 == pytest.approx(height * 3, rel=0.01)
    assert shown[len(shown) // 2] == 200
    reader.close()


def test_a_page_with_too_large_an_image_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(pdfs.scan(40, 50))
    assert len(reader.pictures((1,))) == 1
    monkeypatch.setattr(module, "MAX_SOURCE_PIXELS", 1999)
    assert reader.pictures((1,)) == ()
    reader.close()


def test_files_that_are_none_or_closed_to_us() -> None:
    assert reason(b"nothing") == "damaged"
    assert reason(pdfs.pdf("x")[:60]) == "damaged"
    assert reason(pdfs.encrypted()) == "encrypted"


def test_a_page_that_is_no_page_has_no_text() -> None:
    broken = pdfs.document([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [9 0 R] /Count 1 >>"])
    reader = Reader(broken)
    assert reader.pages() == Pages(("",))
    assert reader.pictures((1,)) == ()
    reader.close()


def test_bounds_of_pages_and_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PAGES", 2)
    assert reason(pdfs.pdf("1", "2", "3")) == "pages"
    monkeypatch.setattr(module, "MAX_CHARACTERS", 5)
    assert reason(pdfs.pdf("123", "456")) == "text"
    reader = Reader(pdfs.pdf("12", "345"))
    assert reader.pages().texts == ("12", "345")
    reader.close()
