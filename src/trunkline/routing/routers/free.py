"""`openrouter/free`: one of the models that cost nothing, at random."""

from collections.abc import Sequence

from trunkline.routing.routers.contender import Contender, go_on


def choose(contenders: Sequence[Contender], seed: float, *, before: str | None = None) -> list[str]:
    """A free model and others as its fallbacks; none when nothing is free. `seed` is a random number in [0, 1); `before` the model that
    served the conversation last, which stays first while it is a candidate."""
    free = sorted(one.id for one in contenders if one.free)
    start = int(seed * len(free))
    return go_on(free[start:] + free[:start], before)
