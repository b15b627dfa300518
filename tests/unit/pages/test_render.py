"""The templates' rules: everything is escaped, nothing is silently empty."""

import pytest
from jinja2 import UndefinedError

from trunkline.pages.assets import Assets
from trunkline.pages.refusals import Refusal
from trunkline.pages.render import Renderer, code_spans

RENDERER = Renderer(Assets(), "https://gateway.example")


def test_text_is_escaped() -> None:
    page = RENDERER.text("refusal.html", refusal=Refusal(400, "<script>", "a & b"), section="")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "a &amp; b" in page


def test_a_name_that_is_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        RENDERER.text("refusal.html", section="")


def test_a_page_carries_its_headers() -> None:
    response = RENDERER.page("refusal.html", status=404, refusal=Refusal(404, "Nothing", "Nothing"), section="")
    assert response.status_code == 404
    assert response.headers["Content-Security-Policy"]


def test_code_between_backticks() -> None:
    assert code_spans("set `A<B` or `C`, not D") == "set <code>A&lt;B</code> or <code>C</code>, not D"
    assert code_spans("<b>") == "&lt;b&gt;"
