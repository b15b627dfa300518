"""A model as routers see it."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from trunkline.errors import ApiError

CHOSEN: Final = 3
"""How many models a router names at most: a primary and two fallbacks (contract 3.7, `openrouter/pareto-code`)."""


class Contender(Struct, frozen=True, gc=False):
    """A model that could serve the request. Prices are pico-dollars a token, of its cheapest endpoint; `tokens_week` what it processed here
    in seven days; `throughput` its median in tokens a second, None when nobody measured it; `created` Unix seconds."""

    id: str
    prompt_price: int = 0
    completion_price: int = 0
    tokens_week: int = 0
    throughput: float | None = None
    created: int = 0
    free: bool = False

    @property
    def cost(self) -> int:
        """Pico-dollars of four tokens, three of them of the prompt: what a typical generation costs, up to a factor."""
        return 3 * self.prompt_price + self.completion_price


def no_match(models: Sequence[str]) -> ApiError:
    """No model is left for a router. `models` are those of the request."""
    told = {
        "code": "constraint_filtered",
        "retryable": False,
        "requested_models": list(models),
        "docs_url": "/docs/errors#constraint_filtered",
    }
    return ApiError("not_found", "No models match your request and model restrictions", availability=told)
