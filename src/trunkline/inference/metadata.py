"""`openrouter_metadata`: what the router did with a request, for callers who ask for it by header (contract 2.13).

Nothing of it is made for others. Beside OpenRouter's fields an endpoint has those of `explain.Row`, and `params.dropped` tells which
parameters did not reach the upstream, and why.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from trunkline.catalogue import router_rows
from trunkline.catalogue.catalogue import Catalogue
from trunkline.inference.call import Exchange
from trunkline.inference.explain import Row
from trunkline.plugins.stage import Note
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.request import InboundRequest

ROUTERS: Final[Mapping[str, str]] = {
    router_rows.AUTO: "auto",
    router_rows.AUTO_BETA: "auto",
    router_rows.FREE: "free",
    router_rows.PARETO_CODE: "pareto",
    router_rows.BODYBUILDER: "bodybuilder",
    "": "latest",
}
"""The strategy of each router, by its slug; `~author/family-latest` is the one without."""
_TASK_STAGES: Final[Mapping[str, str]] = {router_rows.AUTO: "auto-router", router_rows.AUTO_BETA: "auto-beta-router"}
"""The names of the routers that look at the task, as stages."""
_TOOLS: Final = frozenset(("tools", "tool_choice", "parallel_tool_calls"))

Dropped = dict[str, str]


def served_by(exchange: Exchange) -> Endpoint | None:
    """The endpoint whose answer the caller gets; None when all attempts failed."""
    return exchange.endpoint if exchange.attempts and exchange.attempts[-1].error_type is None else None


def describe(catalogue: Catalogue, request: InboundRequest, rows: Sequence[Row], exchange: Exchange | None = None) -> bytes:
    """The JSON of `openrouter_metadata`. Without an exchange no provider was reached (`attempt` 0)."""
    served = None if exchange is None else served_by(exchange)
    attempts = [] if exchange is None else exchange.attempts
    tried = [row for row in rows if row.rank is not None]
    out: dict[str, object] = {
        "requested": _requested(request),
        "strategy": strategy(catalogue, request, None if served is None else served.model),
        "region": (served.region or None) if served is not None else None,
        "summary": f"available={len(tried)}, selected={'none' if served is None else served.provider_name}",
        "attempt": len(attempts),
        "is_byok": served is not None and bool(served.byok),
        "endpoints": {"total": len(rows), "available": rows},
    }
    dropped = [] if exchange is None or exchange.endpoint is None else dropped_for(exchange, exchange.endpoint)
    if dropped:
        out["params"] = {"dropped": dropped}
    if attempts:
        out["attempts"] = [{"provider": one.provider_name, "model": one.model, "status": one.status} for one in attempts]
    stages = [*_task(request), *([] if exchange is None else exchange.notes)]
    if stages:
        out["pipeline"] = stages
    return msgspec.json.encode(out)


def strategy(catalogue: Catalogue, request: InboundRequest, answered: str | None) -> str:
    """How the model was found. `answered` is the model that did, None = none yet."""
    if request.chosen is not None:
        return ROUTERS.get(request.chosen.router, "direct")
    requested = _requested(request).lower()
    resolved = catalogue.resolve(requested)
    variants = () if resolved is None else resolved.variants
    name = ":".join(part for part in requested.split(":") if part not in variants)
    if resolved is None or answered not in (None, resolved.model.id):
        return "fallback"
    return "direct" if name == resolved.model.id.lower() else "alias"


def dropped_for(exchange: Exchange, endpoint: Endpoint) -> list[Dropped]:
    """Parameters that the endpoint did not get: `unsupported` by what the catalogue says of it, `refused` by itself, or `refused_before`
    in an earlier request."""
    repair = exchange.repair
    mended = () if repair is None else repair.names
    reason = "refused_before" if repair is not None and repair.learned else "refused"
    by = dict.fromkeys(_unsupported(exchange.request, endpoint), ("gateway", "unsupported"))
    by |= dict.fromkeys(mended, ("gateway" if reason == "refused_before" else "provider", reason))
    return [{"name": name, "provider": endpoint.provider_name, "by": who, "reason": why} for name, (who, why) in by.items()]


def _task(request: InboundRequest) -> list[Note]:
    """The stage of a router that chose by the kind of task (contract 2.13)."""
    chosen = request.chosen
    if chosen is None or not chosen.task:
        return []
    return [Note(type="plugin", name=_TASK_STAGES.get(chosen.router, chosen.router), data={"task_type": chosen.task})]


def _requested(request: InboundRequest) -> str:
    return request.model or request.models[0]


def _unsupported(request: InboundRequest, endpoint: Endpoint) -> list[str]:
    supported = endpoint.supported_parameters
    if supported is None:
        return []
    missing = request.parameters - supported
    if "structured_outputs" in supported:
        missing -= {"response_format"}
    if endpoint.quirks.tools == "schema":
        missing -= _TOOLS
    return sorted(missing)
