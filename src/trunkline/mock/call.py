"""What is asked of the mock: a request as it came, and what it means to any dialect.

Lenient: what is odd reads as absent. What a vendor would refuse is for `checks` to say.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from trunkline.mock.fields import mapping

Tool = tuple[str, object]


class Asked(Struct, frozen=True, kw_only=True):
    """A request for one operation. `path` is decoded and without its query; `model`: the model that the path names, empty where the body
    does; `verb`: what follows the model there (`streamGenerateContent`, `converse`). `body` is {} for a form, which is in `raw`."""

    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: dict[str, object] = {}
    raw: bytes = b""
    model: str = ""
    verb: str = ""


class Call(Struct, frozen=True, kw_only=True):
    """A request as far as answers depend on it. `words` counts the words of the whole conversation; `text` is its last message as text.

    `results`: what the tools answered in the last turn, as text; `rounds`: rounds of tool calls since the user's last own words.
    `forced_tool`: the tool that must be called. `schema`: what the text must fit. `asked`: the request itself;
    `realm`: under whose name the answer is signed.
    """

    model: str = ""
    stream: bool = False
    include_usage: bool = False
    text: str = ""
    words: int = 0
    max_tokens: int | None = None
    tools: tuple[Tool, ...] = ()
    forced_tool: str = ""
    schema: object | None = None
    results: tuple[str, ...] = ()
    rounds: int = 0
    asked: Asked = Asked(path="")
    realm: str = "mock"


def decode(body: bytes) -> dict[str, object]:
    """The JSON object of a body. Raises ValueError if it is none."""
    request = msgspec.json.decode(body)
    if not isinstance(request, dict):
        raise ValueError("the body is not a JSON object")
    return mapping(request)


def count_words(*texts: str) -> int:
    """Words of all the texts: what the mock counts as tokens."""
    return sum(len(text.split()) for text in texts)


def pick_tool(tools: tuple[Tool, ...], *, forced: bool, name: str = "") -> str:
    """The tool that must be called: the named one, or the first when some tool must; empty for none."""
    return name if name else tools[0][0] if forced and tools else ""
