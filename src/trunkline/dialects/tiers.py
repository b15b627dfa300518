"""The tier that served an answer, in the contract's words (contract 3.9): each vendor has its own for the ordinary one."""

from typing import Final

_WORDS: Final = {
    "default": "default",
    "auto": "default",
    "standard": "default",
    "on_demand": "default",
    "flex": "flex",
    "priority": "priority",
    "fast": "priority",
    "scale": "scale",
}


def served(tier: object) -> str | None:
    """`tier` as callers know it: default, flex, priority or scale (OpenAI's reserved capacity); None for any other word or value."""
    return _WORDS.get(tier) if isinstance(tier, str) else None
