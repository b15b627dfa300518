"""How much to think: OpenRouter's `reasoning`, `reasoning_effort` and `include_reasoning` (contract 2.7) as one upstream key."""

from trunkline.dialects.chat.request import ChatRequest
from trunkline.dialects.efforts import effort_of


def effort_word(request: ChatRequest) -> str | None:
    """The effort that was asked for; a token budget is turned into the highest effort whose share it covers. None = nothing was asked."""
    if request.effort is not None or request.reasoning_tokens is None:
        return request.effort
    return effort_of(request.reasoning_tokens, request.max_tokens)
