"""How much to reason, on `~author/family-latest`: the caller cannot know what the model of the day supports (contract 2.7).

A concrete model gets the effort as it is asked for. Here an effort that the model does not have becomes the nearest, and reasoning that
cannot be switched off goes on with the least effort.
"""

from typing import Any, Final

import msgspec
from msgspec import structs

from trunkline.dialects.efforts import RANKS, nearest
from trunkline.inference.call import Call
from trunkline.protocol.catalogue import Reasoning
from trunkline.protocol.request import InboundRequest

_WISHES: Final = frozenset(("reasoning", "reasoning_effort", "thinking", "output_config"))
_LEAST: Final = "low"
"""Of models whose efforts nobody lists."""


def fit_effort(call: Call, request: InboundRequest, reasoning: Reasoning | None) -> InboundRequest:
    """The request with an effort that the model has; the same object when it needs no change."""
    if reasoning is None or _WISHES.isdisjoint(request.fields):
        return request
    before: dict[str, Any] = msgspec.json.decode(call.body)
    after = fitted(before, reasoning)
    if after == before:
        return request
    return structs.replace(call.skin.parse(msgspec.json.encode(after)), region=request.region)


def fitted(body: dict[str, Any], reasoning: Reasoning) -> dict[str, Any]:
    """The body with fitting wishes, in the words of whichever dialect it is written in."""
    out = dict(body)
    if isinstance(body.get("reasoning"), dict):
        out["reasoning"] = _fit_object(body["reasoning"], reasoning)
    if isinstance(body.get("reasoning_effort"), str):
        out["reasoning_effort"] = _fit(body["reasoning_effort"], reasoning)
    if _goes_on(body.get("thinking") == {"type": "disabled"}, reasoning):
        del out["thinking"]
        out["output_config"] = {**(out.get("output_config") or {}), "effort": lowest(reasoning)}
    elif isinstance(config := body.get("output_config"), dict) and isinstance(config.get("effort"), str):
        out["output_config"] = {**config, "effort": _fit(config["effort"], reasoning)}
    return out


def lowest(reasoning: Reasoning) -> str:
    """The least effort of a model that cannot stop reasoning."""
    ranked = [one for one in RANKS if one != "none" and one in (reasoning.supported_efforts or ())]
    return ranked[-1] if ranked else _LEAST


def _fit_object(wish: dict[str, Any], reasoning: Reasoning) -> dict[str, Any]:
    if _goes_on(wish.get("effort") == "none" or wish.get("enabled") is False or wish.get("max_tokens") == 0, reasoning):
        return {**{key: value for key, value in wish.items() if key not in ("enabled", "max_tokens")}, "effort": lowest(reasoning)}
    effort = wish.get("effort")
    return {**wish, "effort": _fit(effort, reasoning)} if effort in RANKS else wish


def _fit(effort: str, reasoning: Reasoning) -> str:
    if _goes_on(effort == "none", reasoning):
        return lowest(reasoning)
    return effort if effort == "none" else nearest(effort, reasoning.supported_efforts)


def _goes_on(off: object, reasoning: Reasoning) -> bool:
    """Whether reasoning that the caller wants off cannot be."""
    return off is True and reasoning.mandatory and "none" not in (reasoning.supported_efforts or ())
