"""From what storage knows of endpoints to what people and the planner see of them (contract 3.3, 5.13)."""

from collections.abc import Iterable
from typing import Final

from msgspec import structs

from trunkline.analytics.histogram import quantiles, total
from trunkline.analytics.slots import Slot
from trunkline.catalogue.statistics import EndpointStats, Errors, ModelStats, Percentiles
from trunkline.health.benchmarks import UNRATED, Rating
from trunkline.health.live import percentiles
from trunkline.health.monitor import Longterm
from trunkline.protocol.health import Standing

LEAST_REQUESTS: Final = 100
"""With fewer requests that count nothing is said of uptime."""
NORMAL: Final = 95.0
DEGRADED: Final = 80.0
STATUS: Final[dict[Standing, int]] = {"normal": 0, "degraded": -1, "down": -3}
LEAST_TOOL_REQUESTS: Final = 10
_MEDIAN: Final = (0.5,)


def standing(slot: Slot) -> Standing:
    """What an uptime means: from 95 % normal, from 80 % degraded, else down; normal while too little is known."""
    uptime = slot.uptime(LEAST_REQUESTS)
    if uptime is None or uptime >= NORMAL:
        return "normal"
    return "degraded" if uptime >= DEGRADED else "down"


def endpoint_stats(minutes5: Slot, minutes30: Slot, day: Slot) -> EndpointStats:
    """The measured fields of a public endpoint, from what it did in the last 5 and 30 minutes and in a day."""
    return EndpointStats(
        status=STATUS[standing(minutes30)],
        uptime_5m=minutes5.uptime(LEAST_REQUESTS),
        uptime_30m=minutes30.uptime(LEAST_REQUESTS),
        uptime_1d=day.uptime(LEAST_REQUESTS),
        latency=_shown(minutes30.latency),
        throughput=_shown(minutes30.throughput),
        tool_calls=_errors(minutes30.tool_requests, minutes30.tool_failures),
        structured_outputs=_errors(minutes30.structured_requests, minutes30.structured_failures),
    )


def longterm(minutes30: Slot, tool_requests: int, tool_failures: int, rating: Rating = UNRATED) -> Longterm:
    """What the planner takes from storage, from the last 30 minutes, and of tools from the last 2 hours; and how it is rated."""
    structured = minutes30.structured_requests
    return Longterm(
        standing=standing(minutes30),
        requests=minutes30.successes + minutes30.errors,
        speed=_median(minutes30.throughput),
        tool_requests=tool_requests,
        tool_success=1 - tool_failures / tool_requests if tool_requests else None,
        structured_requests=structured,
        structured_success=1 - minutes30.structured_failures / structured if structured else None,
        benchmarks=rating.scores,
        behind=rating.behind,
    )


def model_stats(half_hours: Iterable[Slot], days: Iterable[Slot]) -> ModelStats:
    """The medians over all endpoints of a model, from what each did in the last 30 minutes, and how well it called tools in a day."""
    recent, day = Slot(), Slot()
    for slot in half_hours:
        recent.merge(slot)
    for slot in days:
        day.merge(slot)
    calls = day.tool_requests
    return ModelStats(
        throughput=_median(recent.throughput),
        latency=_median(recent.latency),
        tool_success_rate=1 - day.tool_failures / calls if calls >= LEAST_TOOL_REQUESTS else None,
    )


def _errors(requests: int, errors: int) -> Errors | None:
    return Errors(requests, errors) if requests else None


def _shown(bins: dict[int, int]) -> Percentiles | None:
    """With three digits, which is more than they are worth."""
    found = percentiles(bins)
    return None if found is None else Percentiles(*[float(f"{value:.3g}") for value in structs.astuple(found)])


def _median(bins: dict[int, int]) -> float | None:
    return quantiles(bins, _MEDIAN)[0] if total(bins) else None
