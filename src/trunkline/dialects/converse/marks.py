"""Cache points: blocks of their own that end a cached prefix, at most four in a request (Bedrock user guide, "Prompt caching").

`Marks` hands out points while tools, system and messages are written; `settle` then decides which stay: the first, which covers what is
stable, and the last ones; and no short-lived one before a long-lived one.
"""

from collections.abc import Sequence
from typing import Final, Literal

from trunkline.dialects.hub.conversation import Ttl

LIMIT: Final = 4
KEY: Final = "cachePoint"
Style = Literal["ttl", "plain", "none"]


def point(ttl: Ttl) -> dict[str, object]:
    """A cache point, until `settle` writes it."""
    return {KEY: ttl}


def is_point(block: object) -> bool:
    """Whether a block is one."""
    return isinstance(block, dict) and KEY in block


def settle(lists: Sequence[list[object]], style: Style) -> None:
    """Keep the points that may stay, in the order of the prompt, and write them; one that follows nothing, or another point, goes first.

    Points stand before documents at the end of a message: right after one Bedrock refuses them.
    """
    for blocks in lists:
        blocks[:] = _placed(blocks)
    points = [block for blocks in lists for block in blocks if is_point(block)]
    kept = points[:0] if style == "none" else points if len(points) <= LIMIT else [points[0], *points[1 - LIMIT :]]
    staying = {id(block) for block in kept}
    for blocks in lists:
        blocks[:] = [block for block in blocks if not is_point(block) or id(block) in staying]
    short = False
    for block in kept:
        if isinstance(block, dict):
            short = short or block[KEY] != "1h"
            block[KEY] = {"type": "default"} if short or style == "plain" else {"type": "default", "ttl": "1h"}


def _placed(blocks: list[object]) -> list[object]:
    out: list[object] = []
    for block in blocks:
        if not is_point(block):
            out.append(block)
            continue
        place = len(out)
        while place and _is_document(out[place - 1]):
            place -= 1
        if place and is_point(out[place - 1]):
            out[place - 1] = block
        elif place:
            out.insert(place, block)
    return out


def _is_document(block: object) -> bool:
    return isinstance(block, dict) and "document" in block
