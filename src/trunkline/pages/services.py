"""What the pages are built on: the questions and facts that `app` hands in."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from trunkline.catalogue.catalogue import Catalogue

Scope = Mapping[str, Any]
"""An ASGI connection scope of type http."""


class Operation(Struct, frozen=True):
    """A row of the API's table of operations. `state` is `live` or `planned`, `auth` the credential it takes."""

    method: str
    path: str
    auth: str
    tag: str
    state: str
    summary: str


class PageServices(Struct, frozen=True, kw_only=True):
    """The rooms below and beside, as the pages see them.

    `catalogue` gives the catalogue in force (another object after a reload); `weekly_tokens` the tokens of the last seven days by model id;
    `origin` is where people reach this server, without a slash at its end: links and snippets are made from it, never from `Host`. `opens`
    says whether a request may see the site at all.
    """

    catalogue: Callable[[], Catalogue]
    weekly_tokens: Callable[[], Mapping[str, int]]
    origin: str
    operations: tuple[Operation, ...]
    opens: Callable[[Scope], bool]
