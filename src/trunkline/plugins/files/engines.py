"""Which engine reads the PDFs of a request (contract 2.10).

`native` = the model reads them itself. `cloudflare-ai`, and `pdf-text` as it was called before, are the local engine here. `mistral-ocr` is
there only where the operator has given the table such an engine. Without a choice it is `native` for models that take files, and the
local engine for all others.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from trunkline.errors import ApiError
from trunkline.plugins.pdf.parser import Parsed
from trunkline.plugins.wanted import PdfEngine

NATIVE: Final = "native"
LOCAL: Final = "cloudflare-ai"
_ALIASES: Final[Mapping[str, str]] = {"pdf-text": LOCAL}


class Engine(Protocol):
    """Reads PDFs."""

    async def parse(self, pdf: bytes, *, pictures: int = 0) -> Parsed:
        """The text of a file, and pictures of at most so many pages without text. Raises Unreadable."""


Engines = Mapping[str, Engine]
"""The engines of this server by their name on the wire."""


def chosen(engine: PdfEngine | None, engines: Engines) -> str:
    """The name of the engine for models that take no files; NATIVE where the caller wants no other. Raises ApiError for one that this
    server does not have."""
    name = LOCAL if engine is None else _ALIASES.get(engine, engine)
    if name != NATIVE and name not in engines:
        offered = ", ".join(sorted({NATIVE, *engines}))
        raise ApiError("invalid_request", f"plugins: pdf.engine: {name!r} is not set up on this server; it has {offered}")
    return name
