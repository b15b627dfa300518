"""Whole answers that failed after they had said something (contract 2.5, "Non-stream equivalent").

Nothing of them has gone out, so the next endpoint is asked first. Only when none gives a whole answer does the caller get the longest of
them, with its error inside (`ending`).
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from trunkline.dialects.hub.translation import WholeTranslator
from trunkline.errors import ApiError, UpstreamError
from trunkline.inference.failures import Failure, summarise
from trunkline.protocol.catalogue import Endpoint

WITHDRAWN: Final = frozenset(("moderation", "flagged"))
"""Failures in which the upstream takes back what it had said."""


class Partial(Struct, frozen=True):
    """What one failed attempt said, and why it failed."""

    endpoint: Endpoint
    reply: WholeTranslator
    error: UpstreamError


def partial_of(endpoint: Endpoint, reply: WholeTranslator) -> list[Partial]:
    """The failed answer, if it may hold words for the caller."""
    error = reply.error
    return [] if error is None or error.kind in WITHDRAWN or not reply.output_chars else [Partial(endpoint, reply, error)]


def longest_first(partials: Sequence[Partial]) -> list[Partial]:
    """The order in which they are worth something to the caller; of two as long the earlier, which routing preferred."""
    return sorted(partials, key=lambda one: -one.reply.output_chars)


def error_of(partial: Partial, failures: Sequence[Failure], models: Sequence[str]) -> ApiError:
    """What the caller is told of a failed answer: its own failure; those of all other attempts are in `previous_errors`."""
    others = [one for one in failures if one.error is not partial.error]
    return summarise([Failure(partial.endpoint, partial.error)], models, before=others)
