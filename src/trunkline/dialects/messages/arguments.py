"""Tool arguments: JSON text in the hub, an object in Messages. The text of an object is kept byte for byte."""

import msgspec
from msgspec import Raw

from trunkline.dialects import loose

EMPTY = Raw(b"{}")
TEXT_KEY = "input"
"""The property that holds the text of a tool that takes free text."""

_encode = msgspec.json.Encoder().encode


def object_of(arguments: str) -> Raw:
    """The `input` object of a call. Text that is no JSON object is wrapped as Anthropic's documentation advises:
    `{"INVALID_JSON": <the text>}`."""
    text = arguments.strip()
    if not text:
        return EMPTY
    if text.startswith("{"):
        try:
            data = text.encode()
            msgspec.json.decode(data, type=dict[str, Raw])
            msgspec.json.decode(data)
            return Raw(data)
        except (*loose.FAILURES, UnicodeEncodeError):
            pass
    return Raw(_encode({"INVALID_JSON": text.encode("utf-8", "replace").decode()}))


def free_text(text: str) -> Raw:
    """The `input` object of a tool that takes free text."""
    return Raw(_encode({TEXT_KEY: text}))


def text_of(arguments: str) -> str:
    """The free text inside an `input` object; the arguments themselves when they hold none."""
    try:
        value = loose.decode(arguments.encode("utf-8", "replace"))
    except ValueError:
        return arguments
    text = value.get(TEXT_KEY) if isinstance(value, dict) else None
    return text if isinstance(text, str) else arguments
