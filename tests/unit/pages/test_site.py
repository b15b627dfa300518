"""The routes, from request to page."""

import re
import time

import pytest

from trunkline.errors import ApiError
from trunkline.pages import documents
from trunkline.pages.headers import SECURITY

PAGES = [
    "/",
    "/models",
    "/acme",
    "/acme/echo-1",
    "/acme/echo-1/api",
    "/acme/echo-1:free",
    "/zeta/vector-1",
    "/openai/gpt-5.2-chat",
    "/docs/errors",
    "/docs/operations",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_complete_html_with_our_headers(visitor, path: str) -> None:
    response = visitor.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers.items() >= {name.lower(): value for name, value in SECURITY.items()}.items()
    text = response.text
    assert text.startswith("<!doctype html>")
    assert text.rstrip().endswith("</html>")
    assert text.count("<h1") == text.count("<main") == 1
    assert "<title>" in text
    assert "<script" not in text
    assert " style=" not in text


@pytest.mark.parametrize("path", PAGES)
def test_links_inside_the_site_lead_somewhere(visitor, path: str) -> None:
    text = visitor.get(path).text
    links = {link.partition("#")[0] for link in re.findall(r'(?:href|src|action)="(/[^"]*)"', text)}
    for link in sorted(link for link in links if link and not link.startswith("/api/"))[:60]:
        assert visitor.get(link.replace("&amp;", "&")).status_code == 200, link
    anchors = re.findall(r'href="#([^"]+)"', text)
    assert all(f'id="{anchor}"' in text for anchor in anchors)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_taken_from_the_host_header(visitor, path: str) -> None:
    assert "evil.example" not in visitor.get(path).text


def test_head_requests_are_answered(visitor) -> None:
    response = visitor.get("/models", method="HEAD")
    assert (response.status_code, response.text) == (200, "")


def test_the_head_of_gpt_5_2_chat(visitor) -> None:
    text = visitor.get("/openai/gpt-5.2-chat").text
    assert "<title>OpenAI: GPT-5.2 Chat - API, Providers, Stats</title>" in text
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text))
    for wanted in ("openai/gpt-5.2-chat", "$1.75", "$14", "128K", "Dec 10, 2025", "Going away Aug 10, 2026", "set OPENROUTER_API_KEY"):
        assert wanted in plain


def test_what_is_missing_is_said_in_one_sentence(visitor) -> None:
    def notice(path: str) -> str:
        text = re.search(r"<strong>Not ready here.*?</p>", visitor.get(path).text, re.DOTALL)[0]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text)).strip()

    after = "for the server and start it again."
    assert notice("/openai/gpt-5.2-chat") == f"Not ready here. Set OPENAI_API_KEY, or OPENROUTER_API_KEY {after}"
    assert notice("/zeta/vector-1") == f"Not ready here. Set ZETA_API_KEY and ZETA_BASE_URL {after}"


def test_descriptions_are_text(visitor) -> None:
    assert "Says &lt;b&gt;what&lt;/b&gt; you said." in visitor.get("/acme/echo-1").text


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/acme/echo", "/acme/echo-1"),
        ("/acme/echo/api", "/acme/echo-1/api"),
        ("/ACME/Echo-1", "/acme/echo-1"),
        ("/acme/echo-1:nitro", "/acme/echo-1"),
        ("/acme/echo-1:free:floor", "/acme/echo-1:free"),
        ("/openai/gpt-5.2-chat-20251211", "/openai/gpt-5.2-chat"),
    ],
)
def test_other_names_lead_to_the_page(visitor, path: str, location: str) -> None:
    response = visitor.get(path)
    assert (response.status_code, response.headers["location"]) == (302, location)


@pytest.mark.parametrize("path", ["/nobody", "/acme/nothing", "/acme/echo-1/nothing", "/a/b/c/d", "/docs/nothing", "/static/site.css"])
def test_an_unknown_page_is_a_page(visitor, path: str) -> None:
    response = visitor.get(path)
    assert response.status_code == 404
    assert "Nothing here" in response.text
    assert response.headers["content-security-policy"]


def test_the_api_keeps_its_own_errors(visitor) -> None:
    for path in ("/api", "/api/nothing", "/api/v1", "/api/v1/nothing/at/all", "/api/v1/models/nothing"):
        assert visitor.get(path).status_code == 418, path
    assert visitor.get("/health", method="POST").status_code == 418
    assert visitor.get("/api/v1/models").text == "api"


def test_pages_are_for_reading(visitor) -> None:
    response = visitor.get("/models", method="POST")
    assert response.status_code == 405
    assert "This address is for reading." in response.text


def test_a_bad_query_is_explained(visitor) -> None:
    response = visitor.get("/models?context=lots")
    assert response.status_code == 400
    assert "Query parameter <code>context</code>" in response.text
    assert visitor.get("/models?" + "&".join(["q=1"] * 101)).status_code == 400


def test_filters_are_kept_in_the_form_and_escaped(visitor) -> None:
    text = visitor.get("/models?q=%22%3Ea&providers=zeta&sort=%3Cb%3E").text
    assert 'value="&#34;&gt;a"' in text
    assert "<b>" not in text
    assert '<option value="zeta" selected>' in text


def test_a_reload_and_new_tokens_are_seen_at_once(visitor, empty) -> None:
    visitor.tokens = {"acme/echo-1": 5_310_000_000}
    assert "5.31B" in visitor.get("/acme/echo-1").text
    visitor.catalogue = empty
    assert visitor.get("/acme/echo-1").status_code == 404
    assert visitor.get("/").status_code == visitor.get("/models").status_code == 200


def test_a_shut_server_shows_nothing_of_itself(visitor) -> None:
    visitor.open = False
    for path in [*PAGES, "/llms.txt", "/nobody", "/acme/echo", "/a/b/c/d"]:
        response = visitor.get(path)
        assert response.status_code == 403, path
        assert "TRUNKLINE_PUBLIC_URL" in response.text
        assert "acme" not in response.text
    assert visitor.get("/favicon.svg").status_code == visitor.get("/robots.txt").status_code == 200


def test_assets_stay_in_caches_for_ever(visitor) -> None:
    path = re.search(r'href="(/static/site-\w+\.css)"', visitor.get("/").text)[1]
    response = visitor.get(path)
    assert response.headers["content-type"] == "text/css; charset=utf-8"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    icon = visitor.get("/favicon.svg")
    assert (icon.headers["content-type"], icon.headers["cache-control"]) == ("image/svg+xml", "no-cache")


def test_texts_for_machines(visitor) -> None:
    for path in ("/robots.txt", "/llms.txt"):
        assert visitor.get(path).headers["content-type"] == "text/plain; charset=utf-8"
    assert "https://gateway.example/api/v1/chat/completions" in visitor.get("/llms.txt").text


def test_every_availability_code_has_its_anchor(visitor) -> None:
    text = visitor.get("/docs/errors").text
    assert all(f'id="{code.code}"' in text for code in documents.AVAILABILITY_CODES)


def test_operations_are_the_ones_handed_in(visitor) -> None:
    text = visitor.get("/docs/operations").text
    assert "2 of 3 are live" in text
    assert text.index("/api/v1/chat/completions") < text.index("/api/v1/files")


def test_an_unforeseen_error_is_masked(visitor) -> None:
    class Broken:
        def __getattr__(self, name: str) -> object:
            raise ApiError("server", "secret story")

    visitor.catalogue = Broken()
    response = visitor.get("/models")
    assert response.status_code == 500
    assert "secret story" not in response.text


def test_the_list_is_quick(visitor) -> None:
    visitor.get("/models")
    durations = []
    for _ in range(10):
        begun = time.process_time()
        visitor.get("/models")
        durations.append(time.process_time() - begun)
    assert min(durations) < 0.015 * 3, "the page is to take less than 15 ms; a busy machine gets three times that"
