"""`openrouter_metadata`: what the router did with a request, for callers who ask for it by header (contract 2.13).

Nothing of it is made for others. Beside OpenRouter's fields an endpoint has those of `explain.Row`, and `params.dropped` tells which
parameters did not reach the upstream, and why.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from trunkline.catalogue import router_rows
from trunkline.catalogue.catalogue import Catalogue
from trunkline.dialects.parameters import SAMPLING, lost
from trunkline.errors import ApiError
from trunkline.inference.call import Exchange
from trunkline.inference.explain import Row
from trunkline.inference.ways import OUTBOUND
from trunkline.plugins.stage import Note
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.generation import CANCELLED, AttemptRecord
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
        "region": request.region or (None if served is None else served.region) or None,
        "summary": f"available={len(tried)}, selected={'none' if served is None else served.provider_name}",
        "attempt": len(attempts),
        "is_byok": served is not None and bool(served.byok),
        "endpoints": {"total": len(rows), "available": rows},
    }
    dropped = [] if exchange is None or exchange.endpoint is None else dropped_for(exchange, exchange.endpoint)
    if dropped:
        out["params"] = {"dropped": dropped}
    if attempts:
        out["attempts"] = [_attempt(one) for one in attempts]
    stages = [*task_stage(request), *([] if exchange is None else exchange.notes)]
    if stages:
        out["pipeline"] = stages
    return msgspec.json.encode(out)


def _attempt(record: AttemptRecord) -> dict[str, object]:
    """One attempt. With hedging, ours: `hedge` marks one that was made beside a slow one, `cancelled` the slower of the two."""
    row: dict[str, object] = {"provider": record.provider_name, "model": record.model, "status": record.status}
    if record.hedge:
        row["hedge"] = True
    if record.error_type == CANCELLED:
        row["cancelled"] = True
    return row


def strategy(catalogue: Catalogue, request: InboundRequest, answered: str | None) -> str:
    """How the model was found. `answered` is the model that did, None = none yet."""
    if request.chosen is not None:
        return ROUTERS.get(request.chosen.router, "direct")
    requested = _requested(request).lower()
    resolved = catalogue.resolve(requested)
    variants = () if resolved is None else resolved.variants
    name = ":".join(part for part in requested.split(":") if part not in variants)
    if resolved is None or answered not in (None, resolved.model.id, resolved.model.fast):
        return "fallback"
    return "direct" if name == resolved.model.id.lower() else "alias"


def dropped_for(exchange: Exchange, endpoint: Endpoint) -> list[Dropped]:
    """Parameters that the endpoint did not get: `unsupported` by what the catalogue says of it, `untranslated` because its dialect has no
    word for them, in `conflict` with what else was sent, `refused` by itself, or `refused_before` in an earlier request."""
    repair = exchange.repair
    mended = () if repair is None else repair.names
    reason = "refused_before" if repair is not None and repair.learned else "refused"
    by = dict.fromkeys(_conflicting(exchange, endpoint), ("gateway", "conflict"))
    by |= dict.fromkeys(_untranslated(exchange.request, endpoint), ("gateway", "untranslated"))
    by |= dict.fromkeys(_unsupported(exchange.request, endpoint), ("gateway", "unsupported"))
    by |= dict.fromkeys(mended, ("gateway" if reason == "refused_before" else "provider", reason))
    return [{"name": name, "provider": endpoint.provider_name, "by": who, "reason": why} for name, (who, why) in by.items()]


def task_stage(request: InboundRequest) -> list[Note]:
    """The stage of a router that chose by the kind of task (contract 2.13)."""
    chosen = request.chosen
    if chosen is None or not chosen.task:
        return []
    return [Note(type="plugin", name=_TASK_STAGES.get(chosen.router, chosen.router), data={"task_type": chosen.task})]


def _requested(request: InboundRequest) -> str:
    return request.model or request.models[0]


def _conflicting(exchange: Exchange, endpoint: Endpoint) -> list[str]:
    """What the endpoint's composer left out because of the rest of the request. A request that it could not write at all has its own
    error, which tells more."""
    outbound = OUTBOUND.get(endpoint.dialect)
    if outbound is None or outbound.left_out is None or exchange.request.parameters.isdisjoint(SAMPLING):
        return []
    if exchange.request.dialect == endpoint.dialect and not exchange.edited:
        return []
    try:
        return sorted(outbound.left_out(endpoint, exchange.conversation()))
    except ApiError:
        return []


def _untranslated(request: InboundRequest, endpoint: Endpoint) -> list[str]:
    if request.dialect == endpoint.dialect:
        return []
    return sorted(request.parameters & lost(endpoint.dialect, endpoint.supported_parameters))


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
