"""Converse's citations as the chat wire's `url_citation` annotations; those of documents without an address have none."""

from collections.abc import Mapping

import msgspec

_encode = msgspec.json.Encoder().encode


def annotation(citation: Mapping[str, object]) -> str | None:
    """The annotation of a citation as JSON; None for one without an address."""
    location = citation.get("location")
    web = location.get("web") if isinstance(location, dict) else None
    url = web.get("url") if isinstance(web, dict) else None
    source = citation.get("source")
    if not url and isinstance(source, str) and source.startswith(("https://", "http://")):
        url = source
    if not isinstance(url, str) or not url:
        return None
    title = citation.get("title")
    found = {"url": url, "title": title if isinstance(title, str) and title else url}
    content = _quoted(citation.get("sourceContent"))
    if content:
        found["content"] = content
    return _encode({"type": "url_citation", "url_citation": found}).decode()


def _quoted(pieces: object) -> str:
    texts = [piece.get("text") for piece in pieces if isinstance(piece, dict)] if isinstance(pieces, list) else []
    return "".join(text for text in texts if isinstance(text, str))
