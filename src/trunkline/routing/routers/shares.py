"""What callers spent on models for a kind of task, once there is enough of it to rank by (contract 3.7: "spend share for that tag").

Only generations count whose model the caller had named: a router that counted what it chose itself would go on with its first guess.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from trunkline.protocol.traffic import Use
from trunkline.routing.routers.contender import Contender

LEAST_REQUESTS: Final = 100
"""Generations of a task in seven days before its traffic ranks; our own choice, an operator may have another."""
LEAST_SHARE: Final = 20
"""A model ranks by its traffic from so small a part of these requests on: one that is dear must not come first by a single long answer."""

NO_USE: Final[Mapping[str, Use]] = {}


def believed(used: Mapping[str, Use], least: int = LEAST_REQUESTS) -> Mapping[str, Use]:
    """The models whose use says something; none where the task has fewer than `least` requests."""
    if sum(one.requests for one in used.values()) < least:
        return NO_USE
    enough = max(1, least // LEAST_SHARE)
    return {model: one for model, one in used.items() if one.requests >= enough}


def by_spend(contenders: Sequence[Contender], used: Mapping[str, Use]) -> list[Contender]:
    """The contenders on which callers spent something, the most spent first; the others after them, in their order."""
    return sorted(contenders, key=lambda one: -used[one.id].spent if one.id in used else 0)


def costs(contenders: Sequence[Contender], used: Mapping[str, Use]) -> list[float]:
    """Pico-dollars of a typical generation of the task, for each contender: what its own cost on average, and for those without any its
    prices for as many tokens as the others took. Without traffic any prompt is three times as long as its answer, up to a factor."""
    requests = sum(one.requests for one in used.values())
    if not requests:
        return [one.cost for one in contenders]
    prompt = sum(one.prompt_tokens for one in used.values()) / requests
    completion = sum(one.completion_tokens for one in used.values()) / requests
    return [
        used[one.id].spent / used[one.id].requests if one.id in used else prompt * one.prompt_price + completion * one.completion_price
        for one in contenders
    ]
