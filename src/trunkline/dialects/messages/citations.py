"""Citations: Anthropic's `citations` and the `url_citation` annotations of the chat wire, both ways.

An annotation made of a citation carries the citation itself under `anthropic`, so that clients that send annotations back do not lose the
`encrypted_index` that Anthropic demands. Citations without an address (of documents) have no annotation.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Raw

_encode = msgspec.json.Encoder().encode
_OWN = "anthropic"
_LOCATIONS = ("char_location", "page_location", "content_block_location", "web_search_result_location", "search_result_location")


def annotation(citation: object) -> str | None:
    """The annotation of a citation as JSON; None for one without an address."""
    if not isinstance(citation, Mapping):
        return None
    url = citation.get("url") or citation.get("source")
    if not isinstance(url, str):
        return None
    content = citation.get("cited_text")
    title = citation.get("title")
    found: dict[str, object] = {"url": url, "title": title if isinstance(title, str) else ""}
    if isinstance(content, str) and content:
        found["content"] = content
    return _encode({"type": "url_citation", "url_citation": {**found, _OWN: citation}}).decode()


def citation(text: str) -> Raw | None:
    """The citation of an annotation, as JSON: the one it was made of, else a web search result; None for what is no citation."""
    found = _cited(text)
    if found is None:
        return None
    own = found.get(_OWN)
    if isinstance(own, Mapping) and own.get("type") in _LOCATIONS:
        return Raw(_encode(own))
    url = found.get("url")
    if not isinstance(url, str):
        return None
    content, title = found.get("content"), found.get("title")
    return Raw(
        _encode(
            {
                "type": "web_search_result_location",
                "cited_text": content if isinstance(content, str) else "",
                "encrypted_index": "",
                "title": title if isinstance(title, str) else None,
                "url": url,
            }
        )
    )


def replayable(text: str) -> Raw | None:
    """The citation of an annotation in the history, for Anthropic: only one that came from there."""
    found = _cited(text)
    own = None if found is None else found.get(_OWN)
    return Raw(_encode(own)) if isinstance(own, Mapping) and own.get("type") in _LOCATIONS else None


def _cited(text: str) -> Mapping[str, object] | None:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    found = value.get("url_citation") if isinstance(value, dict) else None
    return found if isinstance(found, Mapping) else None
