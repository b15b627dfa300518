from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from trunkline.catalogue.rss import render
from trunkline.protocol.catalogue import Model


def model(name: str = "Acme: <Echo> & co", description: str = "Says \"a\" & 'b'.") -> Model:
    return Model(
        id="acme/echo-1:free", name=name, author="acme", canonical_slug="acme/echo-1", created=1_765_389_783, description=description
    )


def test_the_feed() -> None:
    channel = ElementTree.fromstring(render([model(), model("Second")], "http://127.0.0.1:8787")).find("channel")
    assert channel is not None
    assert channel.findtext("link") == "http://127.0.0.1:8787/models"
    first, second = channel.findall("item")
    assert first.findtext("title") == "Acme: <Echo> & co"
    assert first.findtext("link") == "http://127.0.0.1:8787/acme/echo-1:free"
    assert first.findtext("guid") == "acme/echo-1:free"
    assert first.findtext("description") == "Says \"a\" & 'b'."
    assert first.findtext("pubDate") == "Wed, 10 Dec 2025 18:03:03 +0000"
    assert second.findtext("title") == "Second"


def test_chat_links() -> None:
    item = ElementTree.fromstring(render([model()], "http://h", chat_links=True)).find("channel/item")
    assert item is not None
    assert item.findtext("link") == "http://h/chat?models=acme%2Fecho-1%3Afree"


def test_an_empty_feed_is_still_a_feed() -> None:
    assert ElementTree.fromstring(render([], "http://h")).get("version") == "2.0"


@given(st.text())
def test_any_text_gives_xml(text: str) -> None:
    ElementTree.fromstring(render([model(text, text)], "http://h").encode("utf-8", "surrogatepass"))
