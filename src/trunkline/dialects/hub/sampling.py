"""Which ways of drawing tokens Claude takes together, whoever serves it (Messages API reference, `temperature` and `top_p`; "Extended
thinking", "Feature compatibility").

It depends on the request, so that no table of parameters can tell it. Composers write by this rule, and the router's metadata names by it
what they left out.
"""

from collections.abc import Callable
from math import inf

from trunkline.dialects.hub.conversation import Sampling


def fitted(asked: Sampling, knows: Callable[[str], bool], *, thinks: bool, least_top_p: float = inf) -> Sampling:
    """What can be sent: a temperature of at most 1, a `top_p` only without one, `top_k`; nothing of it while the model `thinks`, but for a
    `top_p` of at least `least_top_p`. `knows`: whether the endpoint has a parameter."""
    temperature = asked.temperature if knows("temperature") and not thinks else None
    top_p = asked.top_p if knows("top_p") and temperature is None else None
    return Sampling(
        temperature=None if temperature is None else min(temperature, 1.0),
        top_p=top_p if not thinks or (top_p is not None and top_p >= least_top_p) else None,
        top_k=(asked.top_k or None) if knows("top_k") and not thinks else None,
    )


def left_out(asked: Sampling, sent: Sampling) -> frozenset[str]:
    """The parameters that were asked for and are not sent. A `top_k` of 0 asks for nothing."""
    both = (
        ("temperature", asked.temperature, sent.temperature),
        ("top_p", asked.top_p, sent.top_p),
        ("top_k", asked.top_k or None, sent.top_k),
    )
    return frozenset(name for name, wish, said in both if wish is not None and said is None)
