"""The figures about models and endpoints that others measure and hand in; None means that nobody has measured it yet."""

from msgspec import Struct


class Percentiles(Struct, frozen=True, gc=False):
    """A distribution: latency in milliseconds, throughput in tokens a second."""

    p50: float
    p75: float
    p90: float
    p99: float


class Errors(Struct, frozen=True, gc=False):
    """How many answers were judged, and how many of them were bad."""

    requests: int
    errors: int


class EndpointStats(Struct, frozen=True):
    """How an endpoint did lately. Uptimes are percentages; `status` is 0 when it is well and negative when it is not (contract 5.13).
    `tool_calls`: answers that called tools; `structured_outputs`: answers that were asked for JSON."""

    status: int = 0
    uptime_5m: float | None = None
    uptime_30m: float | None = None
    uptime_1d: float | None = None
    latency: Percentiles | None = None
    throughput: Percentiles | None = None
    tool_calls: Errors | None = None
    structured_outputs: Errors | None = None


class ModelStats(Struct, frozen=True):
    """What lists filter and sort by: tokens processed, median throughput (tokens/s) and latency (ms), the fraction of answers with
    tool calls that had no bad one, benchmark figures, and the use categories in which the model is common."""

    tokens_total: int | None = None
    tokens_week: int | None = None
    throughput: float | None = None
    latency: float | None = None
    tool_success_rate: float | None = None
    intelligence_index: float | None = None
    coding_index: float | None = None
    agentic_index: float | None = None
    design_arena_elo: float | None = None
    categories: frozenset[str] = frozenset()


UNMEASURED_ENDPOINT = EndpointStats()
UNMEASURED_MODEL = ModelStats()
