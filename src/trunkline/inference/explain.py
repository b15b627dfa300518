"""Each endpoint of a plan as the router saw it: rank and reason, or why it was left out, with its price for this prompt and what was
measured of it. `metadata` and `route_report` show the same rows, after and before an answer."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import EndpointHealth, HealthSnapshot, Percentiles
from trunkline.protocol.money import usd
from trunkline.protocol.routing import Plan
from trunkline.routing.explain import explain


class Row(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One endpoint. The first three fields are OpenRouter's (contract 2.13), the others ours.

    `selected`: it gave the answer, or would be asked for it first. `rank` counts from 1 in the order in which endpoints are tried;
    `decided_by` and `notes` are the words of `routing.explain`; `excluded_by` and `rule` say why it is not tried at all.
    `predicted_cost_usd` is for this prompt and an answer of the usual length. `latency` is in seconds to the first token, `throughput` in
    tokens a second, over the last five minutes; absent = not measured. `tool_success` and `structured_success` are the shares of the
    `tool_requests` (2 hours) and `structured_requests` (30 minutes) whose answers were right, `benchmarks` the imported scores.
    """

    provider: str
    model: str
    selected: bool
    tag: str
    rank: int | None = None
    decided_by: str | None = None
    notes: tuple[str, ...] = ()
    excluded_by: str | None = None
    rule: str | None = None
    predicted_cost_usd: float | None = None
    latency: Percentiles | None = None
    throughput: Percentiles | None = None
    tool_requests: int = 0
    tool_success: float | None = None
    structured_requests: int = 0
    structured_success: float | None = None
    benchmarks: dict[str, float] = {}
    is_byok: bool = False


def rows(plan: Plan, health: HealthSnapshot, predict: Callable[[Endpoint], int], selected: Endpoint | None = None) -> list[Row]:
    """The endpoints in the order in which they are tried, then those left out. `predict` gives pico-dollars; `selected` is the one to be
    marked so."""

    def row(endpoint: Endpoint, **place: Any) -> Row:
        seen = health.endpoints.get(endpoint.id, _UNKNOWN)
        return Row(
            provider=endpoint.provider_name,
            model=endpoint.model,
            selected=endpoint is selected,
            tag=endpoint.tag,
            predicted_cost_usd=usd(predict(endpoint)),
            latency=seen.latency,
            throughput=seen.throughput,
            tool_requests=seen.tool_requests,
            tool_success=seen.tool_success,
            structured_requests=seen.structured_requests,
            structured_success=seen.structured_success,
            benchmarks=dict(seen.benchmarks),
            is_byok=bool(endpoint.byok),
            **place,
        )

    tried = [row(one.endpoint, rank=rank, decided_by=one.decided_by, notes=one.words) for rank, one in enumerate(explain(plan), 1)]
    return [*tried, *[row(one.endpoint, excluded_by=one.reason, rule=one.rule or None) for one in plan.excluded]]


_UNKNOWN = EndpointHealth()
