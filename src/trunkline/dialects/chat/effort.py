"""How much to think: OpenRouter's `reasoning`, `reasoning_effort` and `include_reasoning` (contract 2.7) as one upstream key."""

from trunkline.dialects.chat.request import ChatRequest

SHARES = {"max": 0.95, "xhigh": 0.95, "high": 0.80, "medium": 0.50, "low": 0.20, "minimal": 0.10}
"""The share of `max_tokens` that an effort may spend on reasoning (contract 2.7)."""

_FALLING = ("high", "medium", "low", "minimal")
_BUDGETS = {"high": 16_000, "medium": 4_000, "low": 1_024, "minimal": 0}
"""Without `max_tokens` there is no share: the least budget in tokens that counts as an effort, our own choice."""


def effort_word(request: ChatRequest) -> str | None:
    """The effort that was asked for; a token budget is turned into the highest effort whose share it covers. None = nothing was asked."""
    if request.effort is not None or request.reasoning_tokens is None:
        return request.effort
    if request.max_tokens is None:
        return next(word for word in _FALLING if request.reasoning_tokens >= _BUDGETS[word])
    share = request.reasoning_tokens / request.max_tokens
    return next((word for word in _FALLING if share >= SHARES[word]), "minimal")
