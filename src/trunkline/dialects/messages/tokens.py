"""`POST /messages/count_tokens`: how many input tokens a request has (Anthropic's operation; our answer is an estimate).

Where the endpoint speaks Messages itself, the count can be asked of it: `address.count_url`, `prepare.Splicer.count`, and `forwarded` for
its answer.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from trunkline.dialects.messages.request import MessagesRequest

PER_PICTURE = 1600
"""Tokens of one image: Anthropic scales down what would be more (its guide to vision). Models that see in high resolution may take more."""


class _Count(Struct):
    input_tokens: int


_READ = msgspec.json.Decoder(_Count)


def estimate(request: MessagesRequest, tokens_of: Callable[[int], int]) -> int:
    """Input tokens of a request: what `tokens_of` makes of its bytes of text, and what large images cost. Documents count
    nothing beside their text: their pages are not known."""
    return max(tokens_of(request.prompt_bytes), 1) + PER_PICTURE * request.images


def render(input_tokens: int) -> bytes:
    """The body of the answer."""
    return msgspec.json.encode(_Count(input_tokens))


def forwarded(body: bytes) -> int | None:
    """The count in an upstream's answer; None when there is none."""
    try:
        return _READ.decode(body).input_tokens
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
