"""The code on the API tab. `tests/browser` runs it against a real server."""

import ast

import pytest

from trunkline.pages import snippets
from trunkline.pages.snippets import Snippet

ORIGIN, MODEL = "https://gateway.example", "acme/echo-1"
ALL = snippets.snippets_of(ORIGIN, MODEL)


@pytest.mark.parametrize("snippet", ALL, ids=lambda snippet: snippet.slug)
def test_every_snippet_names_server_model_and_key(snippet: Snippet) -> None:
    for code in (snippet.first, snippet.streaming):
        assert f"{ORIGIN}/api/v1" in code
        assert MODEL in code
        assert snippets.KEY_VARIABLE in code
        assert "sk-or-" not in code
    assert "stream" not in snippet.first
    assert "stream" in snippet.streaming


@pytest.mark.parametrize("slug", ["openrouter", "openai-python", "requests"])
def test_python_snippets_are_python(slug: str) -> None:
    snippet = next(snippet for snippet in ALL if snippet.slug == slug)
    for code in (snippet.first, snippet.streaming):
        ast.parse(code)


def test_languages_have_names_of_their_own() -> None:
    assert len({snippet.slug for snippet in ALL}) == len({snippet.label for snippet in ALL}) == len(ALL) == 6


@pytest.mark.parametrize(
    ("origin", "local"),
    [
        ("http://127.0.0.1:8787", True),
        ("http://localhost", True),
        ("http://[::1]:8787", True),
        ("https://gateway.example", False),
        ("https://127.example", False),
    ],
)
def test_the_demo_key_lies_on_the_own_machine_only(origin: str, local: bool) -> None:
    assert snippets.is_local(origin) is local
    assert ("demo-key" in snippets.key_step(origin)) is local
    assert snippets.KEY_VARIABLE in snippets.key_step(origin)


def test_curl_alone() -> None:
    assert snippets.curl(ORIGIN, MODEL) == next(snippet for snippet in ALL if snippet.slug == "curl").first
