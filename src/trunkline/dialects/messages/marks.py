"""Cache marks in an upstream body: at most four, short-lived ones after long-lived ones (Anthropic, "Prompt caching").

`place` marks a block; `settle` then decides, in the order of the prompt (tools, system, messages), which marks stay: the first, which
covers what is stable, and the last three.
"""

from collections.abc import Sequence
from typing import Literal

from trunkline.dialects.hub.conversation import Ttl

LIMIT = 4
KEY = "cache_control"
Style = Literal["ttl", "plain", "none"]
Block = dict[str, object]

_UNMARKABLE = frozenset(("thinking", "redacted_thinking"))


def place(block: Block, ttl: Ttl | None) -> Block:
    """The block, marked where a time to live is given."""
    if ttl is not None and block.get("type") not in _UNMARKABLE:
        block[KEY] = ttl
    return block


def settle(blocks: Sequence[Block], style: Style, *, reserved: int = 0) -> None:
    """Write the marks that stay. `reserved`: marks that stand elsewhere, at the top level."""
    marked = [block for block in blocks if KEY in block]
    kept = _kept(marked, 0 if style == "none" else LIMIT - reserved)
    staying = {id(block) for block in kept}
    short = False
    for block in marked:
        if id(block) not in staying:
            del block[KEY]
            continue
        short = short or block[KEY] != "1h"
        block[KEY] = written("5m" if short else "1h", style)


def written(ttl: Ttl, style: Style) -> dict[str, str]:
    """A mark as Anthropic reads it."""
    return {"type": "ephemeral", "ttl": "1h"} if ttl == "1h" and style == "ttl" else {"type": "ephemeral"}


def _kept(marked: list[Block], limit: int) -> list[Block]:
    if len(marked) <= limit:
        return marked
    return [*marked[:1], *marked[len(marked) - limit + 1 :]] if limit > 1 else marked[len(marked) - limit :]
