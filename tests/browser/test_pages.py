"""The site as people meet it: any width, any theme, by keyboard, without JavaScript."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from gateway import Gateway
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

PATHS = (
    "/",
    "/models",
    "/models?q=echo&sort=top-weekly",
    "/openai",
    "/openai/gpt-5.2-chat",
    "/openai/gpt-5.4",
    "/acme/echo-1/api",
    "/docs/errors",
    "/docs/operations",
)
WIDTHS = (360, 1280)
WIDTH, HEIGHT = 1280, 800
ABORTED = "net::ERR_ABORTED"
"""A request that the browser itself gave up, since it left the page."""

# Every text with too little contrast against what lies behind it (WCAG 2.2, 1.4.3: 4.5, or 3 for large text), as "ratio text".
FAINT_TEXTS = """() => {
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), faint = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const pair = [luminance(parse(style.color)), luminance(behind(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < (size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5)) faint.push(ratio.toFixed(2) + " " + text);
  }
  return faint;
}"""

UNANIMATED = "Transition was "
"""What Chromium remarks when it was too busy to animate a change of pages."""

# What a screen reader would miss: repeated ids, fields without a label, jumps in the headings, tables without heads.
GAPS = """() => {
  const ids = [...document.querySelectorAll("[id]")].map(element => element.id), gaps = [];
  gaps.push(...ids.filter((id, index) => ids.indexOf(id) !== index).map(id => "repeated id " + id));
  for (const field of document.querySelectorAll("input, select")) if (!field.labels.length) gaps.push("no label for " + field.name);
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) gaps.push("h" + level + " is followed by h" + next + " " + heading.textContent);
    level = next;
  }
  for (const table of document.querySelectorAll("table")) if (!table.querySelector("th[scope=col]")) gaps.push("a table without heads");
  for (const landmark of ["header", "main", "footer", "nav"]) if (!document.querySelector(landmark)) gaps.push("no " + landmark);
  return gaps;
}"""


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, gateway: Gateway, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of the site in one theme. The test fails when the browser finds fault with anything it was served."""
    context = browser.new_context(
        base_url=gateway.url, color_scheme=request.param, java_script_enabled=False, viewport={"width": WIDTH, "height": HEIGHT}
    )
    faults: list[str] = []
    opened = context.new_page()
    opened.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("requestfailed", lambda failed: faults.append(f"{failed.url}: {failed.failure}") if failed.failure != ABORTED else None)
    yield opened
    context.close()
    assert [fault for fault in faults if not fault.startswith(UNANIMATED)] == []


def focused(page: Page) -> dict[str, Any]:
    """The element that has the focus: its tag, text, address and outline."""
    return cast(
        dict[str, Any],
        page.evaluate(
            """() => {
              const element = document.activeElement, shown = element.matches("input.unseen") ? element.nextElementSibling : element;
              const outline = getComputedStyle(shown).outlineStyle;
              return { tag: element.tagName, id: element.id, text: element.textContent.trim(), href: element.href ?? "", outline };
            }"""
        ),
    )


def tab_to(page: Page, path: str, limit: int = 30) -> None:
    """Press Tab until the link to this path has the focus."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if focused(page)["href"].endswith(path):
            return
    raise AssertionError(f"{path} is not reached by {limit} presses of Tab")


@pytest.mark.parametrize("path", PATHS)
def test_pages_fit_are_legible_and_lack_nothing(page: Page, path: str) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        response = page.goto(path)
        assert response is not None
        assert response.status == 200
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(FAINT_TEXTS) == []
        assert page.evaluate(GAPS) == []


def test_the_theme_is_the_readers(page: Page) -> None:
    page.goto("/")
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert colour == ("rgb(15, 18, 21)" if dark else "rgb(255, 255, 255)")


def test_the_first_stop_of_the_keyboard_leads_past_the_header(page: Page) -> None:
    page.goto("/models")
    page.keyboard.press("Tab")
    assert focused(page)["text"] == "Skip to the content"
    expect(page.get_by_text("Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "MAIN"


def test_all_that_takes_the_focus_shows_it(page: Page) -> None:
    page.goto("/acme/echo-1/api")
    seen = []
    for _ in range(30):
        page.keyboard.press("Tab")
        now = focused(page)
        if now["tag"] == "BODY":
            break
        seen.append(now)
    assert len(seen) > 10
    assert [element for element in seen if element["outline"] == "none"] == []


def test_tabs_are_links_that_the_keyboard_reaches(page: Page) -> None:
    page.goto("/acme/echo-1")
    tab_to(page, "/acme/echo-1/api")
    page.keyboard.press("Enter")
    page.wait_for_url("**/acme/echo-1/api")
    expect(page.locator(".tabs [aria-current=page]")).to_have_text("API")


def test_languages_change_by_keyboard_and_by_mouse(page: Page) -> None:
    page.goto("/acme/echo-1/api")
    shown = page.locator(".sample:visible")
    expect(shown).to_have_count(2)
    expect(shown.first).to_contain_text("curl ")
    page.locator("#language-curl").focus()
    page.keyboard.press("ArrowRight")
    expect(shown.first).to_contain_text("from openrouter import OpenRouter")
    page.get_by_text("OpenAI SDK, TypeScript", exact=True).first.click()
    expect(shown).to_have_count(2)
    expect(shown.last).to_contain_text("for await (const chunk of stream)")


def test_filters_are_an_address(page: Page) -> None:
    page.goto("/models")
    page.get_by_label("Name or slug").fill("echo")
    page.get_by_label("Ready to call").check()
    page.get_by_label("Provider").select_option("acme")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".count strong")).to_have_text("1 model")
    assert "q=echo" in page.url
    assert "providers=acme" in page.url
    expect(page.get_by_label("Name or slug")).to_have_value("echo")
    page.get_by_role("link", name="Echo 1", exact=True).click()
    expect(page).to_have_title("Acme: Echo 1 - API, Providers, Stats")


def test_the_slug_is_selected_whole_by_one_click(page: Page) -> None:
    page.goto("/openai/gpt-5.2-chat")
    page.locator(".handle .copy").click()
    assert page.evaluate("getSelection().toString().trim()") == "openai/gpt-5.2-chat"


def test_wide_tables_scroll_by_themselves(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": HEIGHT})
    page.goto("/openai/gpt-5.4")
    table = page.get_by_role("region", name="Table of providers")
    assert table.evaluate("element => element.scrollWidth > element.clientWidth && element.tabIndex === 0")


def test_a_printed_error_code_is_found(page: Page) -> None:
    page.goto("/docs/errors#no_endpoints")
    expect(page.locator("#no_endpoints")).to_be_in_viewport()
