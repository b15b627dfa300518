"""Who is calling, as `auth` establishes it and every later step reads it."""

from typing import Literal

from msgspec import Struct

KeyKind = Literal["inference", "management"]


class Principal(Struct, frozen=True, gc=False):
    """The owner of the credential that a request carried.

    `key_hash` is the public id of the key. `limited` tells whether the key has a spending limit, so that `limits` needs
    no look-up for keys without one, and `counts_byok` whether what is spent on the caller's own provider keys counts
    towards it. `expires_at` is in Unix seconds. A management key cannot call inference.
    """

    key_hash: str
    kind: KeyKind
    name: str
    label: str
    workspace_id: str
    creator_user_id: str | None = None
    limited: bool = False
    expires_at: float | None = None
    counts_byok: bool = False
