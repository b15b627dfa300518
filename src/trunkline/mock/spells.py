"""Faults by the clock: which spell of a script is on now, and whether it hits this call."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from trunkline.mock.script import Spell


class _State(Struct, kw_only=True):
    """What a spell remembers: the share it still owes, and the calls that may pass."""

    owed: float = 0.0
    tokens: float = 0.0
    filled_at: float = -1.0


class Spells:
    """The spells of a script against a clock. `clock`: seconds since the script began; never runs backwards."""

    def __init__(self, spells: Sequence[Spell], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._spells = tuple((spell, _State()) for spell in spells)

    def cast(self) -> Spell | None:
        """The first spell that is on and hits this call, None for none."""
        now = self._clock()
        for spell, state in self._spells:
            on = spell.start <= now and (not spell.end or now < spell.end)
            if on and not _passes(spell, state, now) and _hits(spell, state):
                return spell
        return None


def _passes(spell: Spell, state: _State, now: float) -> bool:
    """Whether the rate lets the call through: a bucket of one second's calls, full at the start."""
    if not spell.rate:
        return False
    room = max(1.0, spell.rate)
    passed = room if state.filled_at < 0 else (now - state.filled_at) * spell.rate
    state.tokens = min(room, state.tokens + passed)
    state.filled_at = now
    if state.tokens < 1:
        return False
    state.tokens -= 1
    return True


def _hits(spell: Spell, state: _State) -> bool:
    """Whether it is this call's turn: of ten calls a share of 0.3 hits three, evenly spread."""
    state.owed += spell.share
    if state.owed < 1 - 1e-9:
        return False
    state.owed -= 1
    return True
