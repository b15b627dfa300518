"""Guesses of tokens: of a prompt before it is sent, of an answer before it comes, and of both where an upstream says nothing.

What upstreams report calibrates the guesses, per model, in bounded memory. Nothing here is exact, and what is billed from it is marked
`estimated`.
"""

from collections import OrderedDict
from typing import Final

from msgspec import Struct

BYTES_PER_TOKEN: Final = 4
"""UTF-8 bytes a token of English text, the usual rule of thumb, until a model's own figure is known."""
DEFAULT_OUTPUT: Final = 512
"""Output tokens assumed of a model that never answered here."""
_WEIGHT: Final = 0.1
_LOWEST_RATIO, _HIGHEST_RATIO = 1 / 32, 4.0
_DEVIATIONS: Final = 4
"""Mean plus four mean deviations, as TCP estimates a bound of its round-trip time (RFC 6298, section 2)."""
_MOST: Final = 4
"""An answer counts as no longer than so many times the bound so far: one that is huge triples the bound at most, and only a model that
goes on like that raises it further. What is reserved for a request must not come from a single odd answer before it."""


class _Observed(Struct, gc=False):
    """Smoothed figures of one model; bytes and tokens apart, so that long prompts weigh more than short ones."""

    prompt_bytes: float = 0.0
    prompt_tokens: float = 0.0
    output_mean: float = -1.0
    output_deviation: float = 0.0


class Estimates:
    """Token guesses of one worker, for at most `capacity` models; the one not used for longest goes first."""

    def __init__(self, capacity: int = 2000) -> None:
        self._capacity = capacity
        self._models: OrderedDict[str, _Observed] = OrderedDict()

    def tokens(self, model: str, text_bytes: int) -> int:
        """Tokens of `text_bytes` bytes of UTF-8 text (no base64 media) in the eyes of `model`, rounded up."""
        seen = self._models.get(model)
        if seen is None or not seen.prompt_bytes:
            return -(-text_bytes // BYTES_PER_TOKEN)
        ratio = min(max(seen.prompt_tokens / seen.prompt_bytes, _LOWEST_RATIO), _HIGHEST_RATIO)
        return -int(-text_bytes * ratio // 1)

    def output_tokens(self, model: str, max_tokens: int | None = None) -> int:
        """Output tokens that an answer of `model` will rarely exceed, and never more than the caller's own limit."""
        seen = self._models.get(model)
        guess = DEFAULT_OUTPUT if seen is None else int(_bound(seen)) + 1
        return guess if max_tokens is None else min(guess, max(max_tokens, 0))

    def observe(self, model: str, *, text_bytes: int, prompt_tokens: int, output_tokens: int) -> None:
        """Learn from one answered request with text only, as the upstream counted it."""
        seen = self._models.get(model)
        if seen is None:
            seen = self._models[model] = _Observed()
            if len(self._models) > self._capacity:
                self._models.popitem(last=False)
        else:
            self._models.move_to_end(model)
        if text_bytes > 0 and prompt_tokens > 0:
            weight = _WEIGHT if seen.prompt_bytes else 1.0
            seen.prompt_bytes += weight * (text_bytes - seen.prompt_bytes)
            seen.prompt_tokens += weight * (prompt_tokens - seen.prompt_tokens)
        _observe_output(seen, output_tokens)


def _bound(seen: _Observed) -> float:
    """Output tokens that an answer will rarely exceed."""
    return seen.output_mean + _DEVIATIONS * seen.output_deviation


def _observe_output(seen: _Observed, tokens: int) -> None:
    if seen.output_mean < 0:
        first = min(tokens, DEFAULT_OUTPUT)
        seen.output_mean, seen.output_deviation = float(first), first / 2
        return
    counted: float = tokens
    if tokens > DEFAULT_OUTPUT:
        counted = min(tokens, max(_MOST * _bound(seen), DEFAULT_OUTPUT))
    seen.output_deviation += _WEIGHT * (abs(counted - seen.output_mean) - seen.output_deviation)
    seen.output_mean += _WEIGHT * (counted - seen.output_mean)
