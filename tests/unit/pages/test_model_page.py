"""A model's page."""

from trunkline.catalogue.catalogue import Catalogue
from trunkline.pages import model_page
from trunkline.pages.formats import Day
from trunkline.pages.model_page import Link


def test_the_head_of_the_model_that_everybody_compares(catalogue: Catalogue) -> None:
    head = model_page.head(catalogue, catalogue.models["openai/gpt-5.2-chat"], {"openai/gpt-5.2-chat": 5_310_000_000}, "")
    assert (head.prefix, head.name, head.full_name) == ("OpenAI", "GPT-5.2 Chat", "OpenAI: GPT-5.2 Chat")
    assert (head.input_price, head.output_price, head.context, head.tokens) == ("$1.75", "$14", "128K", "5.31B")
    assert head.released == Day("2025-12-10", "Dec 10, 2025")
    assert head.going_away == Day("2026-08-10", "Aug 10, 2026")
    assert head.missing == (("OPENAI_API_KEY",), ("OPENROUTER_API_KEY",))


def test_modalities_stand_in_the_usual_order(catalogue: Catalogue) -> None:
    head = model_page.head(catalogue, catalogue.models["acme/echo-1"], {}, "")
    assert (head.inputs, head.outputs) == (("text", "image"), ("text",))


def test_tabs_and_variants_are_links_that_keep_the_tab(catalogue: Catalogue) -> None:
    head = model_page.head(catalogue, catalogue.models["acme/echo-1"], {}, "api")
    assert head.tabs == (Link("/acme/echo-1", "Overview", False), Link("/acme/echo-1/api", "API", True))
    assert head.variants == (Link("/acme/echo-1/api", "standard", True), Link("/acme/echo-1:free/api", "free", False))
    assert model_page.head(catalogue, catalogue.models["zeta/vector-1"], {}, "").variants == ()


def test_facts_leave_out_what_is_not_known(catalogue: Catalogue) -> None:
    facts = dict(model_page.overview(catalogue, catalogue.models["acme/echo-1"], {}).facts)
    assert facts == {
        "Also answers to": "acme/echo",
        "Thinking": "always on; efforts high, low; low by default; takes a bound in tokens",
        "Default parameters": "temperature 0.2, top_p 0.9",
    }


def test_the_overview_has_the_endpoints(catalogue: Catalogue) -> None:
    view = model_page.overview(catalogue, catalogue.models["acme/echo-1"], {})
    assert [row.tag for row in view.endpoints] == ["acme", "zeta"]


def test_the_api_tab_speaks_of_this_server_and_model(catalogue: Catalogue) -> None:
    view = model_page.api_tab(catalogue, catalogue.models["acme/echo-1:free"], {}, "https://gateway.example")
    assert view.url == "https://gateway.example/api/v1/chat/completions"
    assert all("acme/echo-1:free" in snippet.first for snippet in view.snippets)
    assert view.key_variable in view.key_step
    assert [tab.current for tab in view.head.tabs] == [False, True]
