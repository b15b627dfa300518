"""A model as routers see it."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from trunkline.errors import ApiError

CHOSEN: Final = 3
"""How many models a router names at most: a primary and two fallbacks (contract 3.7, `openrouter/pareto-code`)."""


class Contender(Struct, frozen=True, gc=False):
    """A model that could serve the request. Prices are pico-dollars a token, of its cheapest endpoint; `input_price` is what a token of
    input came to in seven days here, cached ones included, and `prompt_price` without traffic; `spent_week` the pico-dollars that callers
    spent on it in seven days of their own choice; `throughput` its median in tokens a second, None when nobody measured it; `created` Unix
    seconds."""

    id: str
    prompt_price: int = 0
    completion_price: int = 0
    input_price: float = 0.0
    spent_week: int = 0
    throughput: float | None = None
    created: int = 0
    free: bool = False

    @property
    def cost(self) -> int:
        """Pico-dollars of four tokens, three of them of the prompt: what a typical generation costs, up to a factor."""
        return 3 * self.prompt_price + self.completion_price


def go_on(models: Sequence[str], before: str | None) -> list[str]:
    """The models to try of those that are fit, best first: the one that served the conversation `before` stays first while it is fit."""
    kept = [before] if before is not None and before in models else []
    return [*kept, *(one for one in models if one not in kept)][:CHOSEN]


def no_match(models: Sequence[str], why: str = "") -> ApiError:
    """No model is left for a router. `models` are those of the request."""
    told = {
        "code": "constraint_filtered",
        "retryable": False,
        "requested_models": list(models),
        "docs_url": "/docs/errors#constraint_filtered",
    }
    return ApiError("not_found", f"No models match your request and model restrictions{why}", availability=told)
