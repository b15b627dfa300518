"""`openrouter/free`: one of the models that cost nothing, at random."""

from collections.abc import Sequence

from trunkline.routing.routers.contender import CHOSEN, Contender


def choose(contenders: Sequence[Contender], seed: float) -> list[str]:
    """A free model and others as its fallbacks; none when nothing is free. `seed` is a random number in [0, 1)."""
    free = sorted(one.id for one in contenders if one.free)
    start = int(seed * len(free))
    return (free[start:] + free[:start])[:CHOSEN]
