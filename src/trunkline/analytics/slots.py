"""What is counted of an endpoint in a span of time, and how finished generations are counted.

The same in memory (`health.live`) and in storage (`analytics.endpoints`), so that both tell the same. Each attempt of a generation counts
for the endpoint that it was made at; what only an answer has (speed, tools, cached tokens) counts for the endpoint that gave it.
"""

from collections.abc import Callable
from typing import Final

from trunkline.analytics.histogram import Bins, add, merge
from trunkline.protocol.generation import CANCELLED, AttemptRecord, GenerationRecord

ERROR_TYPES: Final = frozenset(
    (
        *("provider_unavailable", "provider_overloaded", "timeout", "server", "unmapped"),
        *("authentication", "payment_required", "not_found"),
    )
)
"""Failures that lower the uptime (contract 3.3): upstream status 401, 402, 404, 500 and more, and whatever breaks an answer."""
KEY_ERROR_TYPES: Final = frozenset(("authentication", "payment_required", "not_found"))
"""Those that speak of the credential alone where that is the caller's own."""
RATE_LIMITED: Final = "rate_limit_exceeded"

COUNTERS: Final = (
    "successes",
    "errors",
    "rate_limited",
    "refused",
    "tool_requests",
    "tool_failures",
    "cache_hits",
    "output_tokens",
    "structured_requests",
    "structured_failures",
)
HISTOGRAMS: Final = ("latency", "throughput", "duration")


class Slot:
    """Counts of one endpoint. `successes`, `errors`, `rate_limited` and `refused` divide its attempts; `refused` are those that say nothing
    of the endpoint, such as a prompt that is too long.

    `tool_requests`: answers that called a tool, `tool_failures`: those among them with a bad call, be it one or all. `structured_requests`:
    answers that were judged by the form that was asked for, `structured_failures`: those that broke it. Only storage knows of failures,
    since answers are judged on the way there. `cache_hits`: answers for which the upstream read its prompt cache. `output_tokens`: of all
    answers.

    Distributions: `latency` in ms to the first content of streams, `throughput` in output tokens a second of the whole time at the
    upstream (contract 3.3), `duration` in ms of that time.
    """

    __slots__ = (*COUNTERS, *HISTOGRAMS)

    def __init__(self) -> None:
        self.successes = 0
        self.errors = 0
        self.rate_limited = 0
        self.refused = 0
        self.tool_requests = 0
        self.tool_failures = 0
        self.cache_hits = 0
        self.output_tokens = 0
        self.structured_requests = 0
        self.structured_failures = 0
        self.latency: Bins = {}
        self.throughput: Bins = {}
        self.duration: Bins = {}

    def merge(self, other: "Slot") -> None:
        """Add the counts of `other`."""
        self.successes += other.successes
        self.errors += other.errors
        self.rate_limited += other.rate_limited
        self.refused += other.refused
        self.tool_requests += other.tool_requests
        self.tool_failures += other.tool_failures
        self.cache_hits += other.cache_hits
        self.output_tokens += other.output_tokens
        self.structured_requests += other.structured_requests
        self.structured_failures += other.structured_failures
        merge(self.latency, other.latency)
        merge(self.throughput, other.throughput)
        merge(self.duration, other.duration)

    def uptime(self, least: int = 1) -> float | None:
        """Percent of the attempts that succeeded, of those that count (contract 3.3); None when fewer than `least` do."""
        counted = self.successes + self.errors
        return 100 * self.successes / counted if counted >= least else None


def observe(record: GenerationRecord, slot_of: Callable[[str], Slot]) -> None:
    """Count a finished generation. `slot_of` gives the slot of an endpoint id. A generation without attempts, such as one whose caller left
    before anything came, counts nowhere."""
    attempts = record.attempts
    if not attempts:
        return
    answer = attempts[-1]
    if len(attempts) > 1:
        for attempt in attempts[:-1]:
            _count_failure(slot_of(attempt.endpoint_id), attempt)
    slot = slot_of(answer.endpoint_id)
    if answer.error_type is not None:
        _count_failure(slot, answer)
    elif record.finish_reason == "error":
        slot.errors += 1
    else:
        slot.successes += 1
        _count_answer(slot, record, answer)


def ended_ms(record: GenerationRecord) -> int:
    """When the generation ended, in Unix milliseconds, as far as its record tells. A hedge ran beside another attempt and not after it."""
    return record.created_ms + (record.generation_ms or 0) + sum([one.latency_ms for one in record.attempts[:-1] if not one.hedge])


def _count_failure(slot: Slot, attempt: AttemptRecord) -> None:
    if attempt.error_type == CANCELLED:
        _count_patience(slot, attempt)
    elif attempt.error_type in ERROR_TYPES and not (attempt.is_byok and attempt.error_type in KEY_ERROR_TYPES):
        slot.errors += 1
    elif attempt.error_type == RATE_LIMITED:
        slot.rate_limited += 1
    else:
        slot.refused += 1


def _count_patience(slot: Slot, attempt: AttemptRecord) -> None:
    """An attempt that was given up for a faster one is neither good nor bad. But one that had had its time was at least so slow: were that
    not counted, hedging would make endpoints look ever faster, and hedge ever earlier."""
    if not attempt.hedge:
        add(slot.latency, attempt.latency_ms)


def _count_answer(slot: Slot, record: GenerationRecord, answer: AttemptRecord) -> None:
    """An answer that its caller did not take to the end says nothing of speed, but for its first content, and nothing of quality; nor does
    a call that was cut off by the output limit."""
    if record.streamed:
        add(slot.latency, answer.latency_ms)
    milliseconds = record.generation_ms
    tokens = record.output_tokens
    if milliseconds is not None and not record.cancelled:
        add(slot.duration, milliseconds)
        if tokens:
            add(slot.throughput, 1000 * tokens / (milliseconds or 1))
    slot.output_tokens += tokens
    if record.cached_tokens:
        slot.cache_hits += 1
    if record.tool_calls and not record.cancelled and record.finish_reason != "length":
        slot.tool_requests += 1
        if record.tool_calls_invalid:
            slot.tool_failures += 1
    if record.structured_invalid is not None and not record.cancelled:
        slot.structured_requests += 1
        slot.structured_failures += record.structured_invalid
