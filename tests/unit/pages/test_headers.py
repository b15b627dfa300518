"""What browsers may do with the pages."""

from trunkline.pages import headers


def test_nothing_runs_and_nothing_comes_from_elsewhere() -> None:
    policy = dict(directive.split(" ", 1) for directive in headers.CONTENT_POLICY.split("; "))
    assert policy == {
        "default-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "script-src": "'none'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }


def test_pages_are_asked_for_again_and_assets_never() -> None:
    assert headers.PAGE["Cache-Control"] == "no-cache"
    assert "immutable" in headers.ASSET["Cache-Control"]
    assert all(kind["X-Content-Type-Options"] == "nosniff" for kind in (headers.PAGE, headers.ASSET))
