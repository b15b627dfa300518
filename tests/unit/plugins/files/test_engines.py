"""Which engine reads."""

import pytest
from staged_bench import Pages

from trunkline.errors import ApiError
from trunkline.plugins.files.engines import LOCAL, NATIVE, chosen
from trunkline.plugins.wanted import PdfEngine

HERE = {LOCAL: Pages()}


@pytest.mark.parametrize(
    ("asked", "name"), [(None, LOCAL), ("native", NATIVE), ("cloudflare-ai", LOCAL), ("pdf-text", LOCAL), ("mistral-ocr", "mistral-ocr")]
)
def test_the_engine_of_each_name(asked: PdfEngine | None, name: str) -> None:
    assert chosen(asked, {**HERE, "mistral-ocr": Pages()}) == name


def test_one_that_is_not_set_up_is_named_with_those_that_are() -> None:
    with pytest.raises(ApiError) as told:
        chosen("mistral-ocr", HERE)
    assert told.value.message == "plugins: pdf.engine: 'mistral-ocr' is not set up on this server; it has cloudflare-ai, native"
