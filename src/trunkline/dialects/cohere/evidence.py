"""Citations and probabilities of an answer, in the chat wire's shape (Cohere API reference, `Citation` and `LogprobItem`)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

_encode = msgspec.json.Encoder().encode
_ADDRESSES: Final = ("url", "link", "source", "URL")
_PARTS: Final = {"document": "document", "tool": "tool_output"}
"""Where the data of a source stands, by its type."""


def annotations(citation: Mapping[str, object]) -> Iterator[str]:
    """The `url_citation` annotations of a citation as JSON: one for each source with an address. Thoughts and plans are not cited."""
    if citation.get("type") not in (None, "TEXT_CONTENT"):
        return
    sources = citation.get("sources")
    for source in sources if isinstance(sources, list) else ():
        data = source.get(_PARTS.get(str(source.get("type")), "")) if isinstance(source, dict) else None
        url = _address(data)
        if url is None:
            continue
        title = data.get("title") if isinstance(data, dict) else None
        found: dict[str, object] = {"url": url, "title": title if isinstance(title, str) else url}
        for key, name in (("start", "start_index"), ("end", "end_index"), ("text", "content")):
            if isinstance(citation.get(key), int | str):
                found[name] = citation[key]
        yield _encode({"type": "url_citation", "url_citation": found}).decode()


def logprobs(items: Iterable[Mapping[str, object]]) -> str | None:
    """The entries of the chat wire's `logprobs.content` as a JSON list; None without any. A chunk of several tokens has the sum."""
    entries = []
    for item in items:
        text, values = item.get("text"), item.get("logprobs")
        numbers = [value for value in values if isinstance(value, int | float)] if isinstance(values, list) else []
        if isinstance(text, str) and numbers:
            entries.append(
                {"token": text, "logprob": float(sum(numbers)), "bytes": list(text.encode("utf-8", "replace")), "top_logprobs": []}
            )
    return _encode(entries).decode() if entries else None


def _address(data: object) -> str | None:
    if not isinstance(data, dict):
        return None
    found = (data.get(key) for key in _ADDRESSES)
    return next((one for one in found if isinstance(one, str) and one.startswith(("https://", "http://"))), None)
