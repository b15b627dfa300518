"""What callers of this instance used lately: the share of spending by which routers rank (contract 3.7 and 8.4)."""

from collections.abc import Mapping

from msgspec import Struct


class Use(Struct, frozen=True, gc=False):
    """Sums of one model: requests that were answered, tokens (`cached_tokens` are part of `prompt_tokens`), and pico-dollars spent, those
    by callers' own keys included."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    spent: int = 0


class Traffic(Struct, frozen=True):
    """Sums of seven days by model id. `spent` is of generations whose model the caller had named, since what the Auto Router chose says
    nothing of what people would. `tasks`: a sample of these generations, by kind of task."""

    models: Mapping[str, Use] = {}
    tasks: Mapping[str, Mapping[str, Use]] = {}


NO_TRAFFIC = Traffic()
