"""Auto Exacto (contract 3.10): which endpoints of a model handle tools well, by what this instance measured, and by benchmarks that its
operator imported.

Good endpoints come before those with too little data, and those before the ones that fall behind their peers in throughput, in tool calls
or in a benchmark. Peers are compared by median and MAD, which one outlier cannot move; with fewer than four measured providers there is
nothing to compare, and all stay equal. Benchmarks were compared before (`health.benchmarks`): with all endpoints of the model, whichever
of them a request may go to.
"""

from collections.abc import Sequence

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import EndpointHealth

GOOD, UNMEASURED, DEPRIORITISED = 0, 1, 2
MIN_PROVIDERS = 4
MIN_REQUESTS = 100
"""In 30 minutes, for the throughput to count."""
MIN_TOOL_REQUESTS = 200
"""In 2 hours, for the tool calls to count."""
SPEED_SIGMAS = 1.5
TOOL_SIGMAS = 2.0
MAD_TO_SIGMA = 1.4826
"""The standard deviation of normally distributed values, as a multiple of their median absolute deviation."""
SPEED_FLOOR = 0.05
"""The least sigma of throughput, as a fraction of the median: peers that are all alike must not make a verdict of a hair's breadth."""
TOOL_FLOOR = 0.01
"""The least sigma of tool success."""


def tiers(endpoints: Sequence[Endpoint], entries: Sequence[EndpointHealth]) -> list[int]:
    """GOOD, UNMEASURED or DEPRIORITISED for each endpoint of one model."""
    verdicts = [one.behind for one in entries]
    rated = verdicts.count(None) < len(verdicts)
    if len(endpoints) < MIN_PROVIDERS and not rated:
        return [GOOD] * len(endpoints)
    speeds = [one.speed if one.requests >= MIN_REQUESTS else None for one in entries]
    tools = [one.tool_success if one.tool_requests >= MIN_TOOL_REQUESTS else None for one in entries]
    least_speed = _cut(endpoints, speeds, SPEED_SIGMAS, relative=SPEED_FLOOR)
    least_tools = _cut(endpoints, tools, TOOL_SIGMAS, absolute=TOOL_FLOOR)
    measured = least_speed is not None or least_tools is not None
    if not measured and not rated:
        return [GOOD] * len(entries)
    return [
        DEPRIORITISED
        if behind
        or (speed is not None and least_speed is not None and speed < least_speed)
        or (tool is not None and least_tools is not None and tool < least_tools)
        else UNMEASURED
        if (measured and (speed is None or tool is None)) or (rated and behind is None)
        else GOOD
        for speed, tool, behind in zip(speeds, tools, verdicts, strict=True)
    ]


def _cut(
    endpoints: Sequence[Endpoint], values: Sequence[float | None], sigmas: float, *, relative: float = 0.0, absolute: float = 0.0
) -> float | None:
    """The value under which an endpoint falls behind; None when too few providers are measured."""
    known = sorted([value for value in values if value is not None])
    if len(known) < MIN_PROVIDERS:
        return None
    if len({one.provider for one, value in zip(endpoints, values, strict=True) if value is not None}) < MIN_PROVIDERS:
        return None
    middle = _median(known)
    least = max(relative * middle, absolute)
    if known[0] >= middle - sigmas * least:
        return known[0]
    return middle - sigmas * max(least, MAD_TO_SIGMA * _median(sorted([abs(value - middle) for value in known])))


def _median(ordered: Sequence[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
