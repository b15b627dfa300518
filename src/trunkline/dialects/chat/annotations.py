"""Annotations as chat clients get them: citations of the web, and files that were read (contract 2.9)."""

import msgspec
from msgspec import Raw

_KINDS = ("url_citation", "file")
_URL_DEFAULTS: dict[str, object] = {"url": "", "title": "", "start_index": 0, "end_index": 0}


def shown(text: str) -> Raw | None:
    """An annotation of the hub for a client; None for a kind that this dialect does not have (OpenAI's citations of stored files).

    A `url_citation` gets the positions 0 where the upstream gave none (Anthropic cites in whole blocks), since clients demand them.
    """
    annotation = msgspec.json.decode(text)
    kind = annotation.get("type") if isinstance(annotation, dict) else None
    if kind not in _KINDS:
        return None
    cited = annotation.get("url_citation")
    if kind != "url_citation" or (isinstance(cited, dict) and _URL_DEFAULTS.keys() <= cited.keys()):
        return Raw(text.encode())
    given = cited if isinstance(cited, dict) else {}
    return Raw(msgspec.json.encode({**annotation, "url_citation": {**_URL_DEFAULTS, **given}}))
