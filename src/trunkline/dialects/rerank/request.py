"""What a caller sends to `POST /rerank`, checked. Errors are ApiError("invalid_request") that name the field."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from trunkline.dialects.body import read_body
from trunkline.dialects.oneshot import OneShotRequest
from trunkline.dialects.preferences import PreferencesWire, preferences
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Dialect
from trunkline.protocol.usage import Units

MAX_DOCUMENTS = 10_000
"""A bound of our own: the contract has none."""
DOCUMENTS_A_SEARCH = 100
"""Documents that one search unit covers (Cohere, "How does pricing work")."""


class Document(Struct, frozen=True, omit_defaults=True):
    """A document with text, an image (a URL or a data URL), or both."""

    text: str | None = None
    image: str | None = None


class RerankWire(Struct):
    model: Annotated[str, Meta(min_length=1)]
    query: Annotated[str, Meta(min_length=1)]
    documents: Annotated[list[str | Document], Meta(min_length=1, max_length=MAX_DOCUMENTS)]
    top_n: Annotated[int, Meta(ge=1)] | None = None
    provider: PreferencesWire | None = None
    user: Annotated[str, Meta(max_length=256)] | None = None
    session_id: Annotated[str, Meta(max_length=256)] | None = None


class RerankRequest(OneShotRequest, frozen=True, kw_only=True):
    """One request."""

    dialect: Dialect = "chat"
    query: str
    documents: tuple[Document, ...]
    top_n: int


_READ = msgspec.json.Decoder(RerankWire)


def parse(body: bytes) -> RerankRequest:
    """Read a request to rerank. Raises ApiError("invalid_request") that names the field."""
    raw, wire = read_body(body, _READ)
    documents = tuple([Document(text=one) if isinstance(one, str) else one for one in wire.documents])
    for index, one in enumerate(documents):
        if one.text is None and one.image is None:
            raise ApiError("invalid_request", f"documents[{index}]: Expected text or an image")
    texts = sum(len(one.text.encode()) for one in documents if one.text is not None)
    return RerankRequest(
        fields=raw,
        model=wire.model,
        models=(wire.model,),
        query=wire.query,
        documents=documents,
        top_n=min(wire.top_n or len(documents), len(documents)),
        outputs=frozenset(("rerank",)),
        modalities=frozenset(("image",)) if any(one.image is not None for one in documents) else frozenset(),
        prompt_bytes=texts + len(wire.query.encode()) * len(documents),
        expected=Units(searches=-(-len(documents) // DOCUMENTS_A_SEARCH)),
        preferences=preferences(wire.provider),
        user=wire.user,
        session_id=wire.session_id,
    )
