"""What operations read of a request: its texts, as the call that rules and answers work with."""

from collections.abc import Sequence

from trunkline.mock.call import Asked, Call, count_words
from trunkline.mock.fields import joined, mapping, string


def texts_of(given: object) -> tuple[str, ...]:
    """The inputs as texts: one text, a list of them, token lists (one or many) in words, or contents with parts."""
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, list):
        return ()
    if given and all(isinstance(item, int) for item in given):
        return (" ".join(map(str, given)),)
    return tuple(_text(item) for item in given)


def _text(item: object) -> str:
    if isinstance(item, list):
        return " ".join(map(str, item))
    if isinstance(item, dict):
        return string(item.get("text")) or joined(item.get("content"))
    return string(item)


def call_of(asked: Asked, texts: Sequence[str], *, stream: bool = False) -> Call:
    """The call of an operation on these texts."""
    return Call(
        model=asked.model or string(mapping(asked.body).get("model")),
        stream=stream,
        text=texts[-1] if texts else "",
        words=count_words(*texts),
        asked=asked,
    )
