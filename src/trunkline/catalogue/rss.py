"""The list of models as an RSS 2.0 feed (`GET /models?use_rss=true`)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote
from xml.sax.saxutils import escape

from trunkline.protocol.catalogue import Model

_TITLE = "Trunkline Models"


def render(models: Iterable[Model], site: str, *, chat_links: bool = False) -> str:
    """The feed. `site` is the origin of the web pages; items link to the model's page, or with `chat_links` to a chat with it."""
    items = "".join(_item(model, site, chat_links=chat_links) for model in models)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>{_TITLE}</title><link>{escape(site)}/models</link><description>Models that this server offers</description>"
        f"{items}</channel></rss>\n"
    )


def _item(model: Model, site: str, *, chat_links: bool) -> str:
    path = f"chat?models={quote(model.id, safe='')}" if chat_links else quote(model.id, safe="/:")
    return (
        f"<item><title>{_text(model.name)}</title><link>{escape(f'{site}/{path}')}</link>"
        f'<guid isPermaLink="false">{_text(model.id)}</guid><description>{_text(model.description)}</description>'
        f"<pubDate>{format_datetime(datetime.fromtimestamp(model.created, UTC))}</pubDate></item>"
    )


def _text(text: str) -> str:
    """`text` as XML character data; characters that XML 1.0 does not allow are left out."""
    return escape("".join(letter for letter in text if letter in "\t\n\r" or ord(letter) >= 0x20))
