"""What the caller says in a request, as a router reads it."""

import hashlib

from msgspec import Struct

from trunkline.dialects.hub.conversation import Conversation, Text, Turn

MOST_CHARACTERS = 2000
"""Of each text: what kind of task it is shows early."""


class Prompt(Struct, frozen=True):
    """`first` and `last` are the texts of the user's first and last turn, `system` the first system text, each cut. `continued`: a model
    has answered before."""

    first: str
    last: str
    system: str
    continued: bool = False

    @property
    def fingerprint(self) -> bytes:
        """The same for all turns of a conversation: 16 bytes of how it began."""
        return hashlib.blake2b(f"{self.system}\0{self.first}".encode(errors="replace"), digest_size=16).digest()


def read(conversation: Conversation) -> Prompt:
    """The texts of a conversation; empty where there is none."""
    said = [turn for turn in conversation.turns if turn.role == "user" and _text(turn)]
    system = next((turn for turn in conversation.turns if turn.role == "system"), None)
    return Prompt(
        first=_text(said[0]) if said else "",
        last=_text(said[-1]) if said else "",
        system="" if system is None else _text(system),
        continued=any(turn.role == "assistant" for turn in conversation.turns),
    )


def _text(turn: Turn) -> str:
    return "\n".join(block.text for block in turn.blocks if isinstance(block, Text))[:MOST_CHARACTERS]
