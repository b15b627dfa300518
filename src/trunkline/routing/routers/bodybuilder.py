"""`openrouter/bodybuilder`: the bodies of requests to the models that a prompt names, as JSON (contract 3.7).

"Count to ten with GPT-5 and Claude Sonnet" becomes two requests that say "Count to ten". No model is asked: the names are looked for in
the text, the longest first, and what joins them to the rest is cut out with them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

MOST_REQUESTS: Final = 20
_NAME: Final = "\0"
_JOINED: Final = r"(?:\s*(?:,|;|&|\band\b|\bor\b|\bvs\.?|\bversus\b)\s*)+"
_LEAD: Final = r"(?:\b(?:using|with|via|from|through|on|by|to|for|at|ask|asking|have|let|models?)\b\s*:?\s*)*(?:\bboth\b\s*)?"
_NAMES: Final = re.compile(rf"{_LEAD}\0(?:{_JOINED}(?:{_LEAD})\0)*\s*(?:\bmodels?\b)?", re.IGNORECASE)
_ENDS: Final = " \t\r\n,;:-"
_BEFORE: Final = re.compile(r"[\w/.]")
_AFTER: Final = re.compile(r"\w|[./:]\w")


def compose(text: str, spellings: Mapping[str, str], otherwise: Sequence[str]) -> str:
    """The JSON. `spellings` are the names under which models may be mentioned, as `normal` writes them, with their ids; `otherwise` the
    models for a text that names none."""
    masked, models = _take_names(text, spellings)
    prompt = " ".join(_NAMES.sub(" ", masked).replace(_NAME, " ").split(" ")).strip(_ENDS) or text
    prompt = re.sub(r"[ \t]{2,}", " ", re.sub(r"\s+([.,;:!?])", r"\1", prompt))
    messages = [{"role": "user", "content": prompt}]
    named = (models or list(otherwise))[:MOST_REQUESTS]
    return msgspec.json.encode({"requests": [{"model": model, "messages": messages} for model in named]}).decode()


def normal(name: str) -> str:
    """A name as it is looked for: in lower case, with spaces for dashes and underscores. It keeps its length."""
    return name.lower().replace("-", " ").replace("_", " ")


def _take_names(text: str, spellings: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text with a mark in place of each name, and the ids in the order of the text, each once."""
    text = text.replace(_NAME, " ")
    lowered = normal(text)
    if len(lowered) != len(text):
        return text, []
    found: dict[int, tuple[int, str]] = {}
    for spelling in sorted(spellings, key=len, reverse=True):
        start = lowered.find(spelling)
        while start >= 0:
            end = start + len(spelling)
            if not _BEFORE.match(lowered[start - 1 : start]) and not _AFTER.match(lowered[end : end + 2]):
                found[start] = (end, spellings[spelling])
                lowered = lowered[:start] + _NAME * len(spelling) + lowered[end:]
            start = lowered.find(spelling, end)
    pieces, place = [], 0
    for start, (end, _) in sorted(found.items()):
        pieces += [text[place:start], _NAME]
        place = end
    return "".join([*pieces, text[place:]]), list(dict.fromkeys(model for _, (_, model) in sorted(found.items())))
