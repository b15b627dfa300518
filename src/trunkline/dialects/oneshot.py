"""What the operations beside chat have in common: a request becomes calls of an upstream, and their bodies become one result.

A *shape* is the form in which an upstream offers an operation. `send` gives the calls, several where the upstream takes fewer inputs at a
time than the caller has; `read` puts what came back together, in the caller's order.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from trunkline.dialects import loose
from trunkline.dialects.refusals import refusal_of
from trunkline.errors import MalformedResponse
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.money import usd
from trunkline.protocol.quirks import NO_OPERATION_QUIRKS, OperationQuirks
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.usage import Cost, Units, Usage

JSON: Final = "application/json"
RawUsage = Mapping[str, object]


class OneShotRequest(InboundRequest, frozen=True, kw_only=True):
    """A request that is answered at once. `expected`: what it will use, as far as that is known before. `options`: what the caller passes
    on to providers, by their slugs (`provider.options`)."""

    expected: Units = Units()
    options: dict[str, dict[str, object]] = {}


class Sending(Struct, frozen=True):
    """One call of an upstream."""

    url: str
    body: bytes
    content_type: str = JSON
    accept: str = JSON


class Result(Struct, frozen=True):
    """What an upstream gave. `content` is the operation's own; `usage` is in the names of chat, None where the upstream counts nothing;
    `id` its own id of the answer."""

    content: Any
    usage: RawUsage | None = None
    units: Units = Units()
    id: str | None = None


class Shape(Struct, frozen=True):
    """How calls are written and bodies are read. `send` raises ApiError("invalid_request") for what the upstream cannot be asked; `read`
    raises UpstreamError for what is no answer."""

    send: Callable[[Any, Endpoint], Sequence[Sending]]
    read: Callable[[Any, Endpoint, Sequence[bytes]], Result]


def quirks_of(endpoint: Endpoint, operation: str) -> OperationQuirks:
    """What is special about an operation at an endpoint."""
    return endpoint.quirks.operations.get(operation, NO_OPERATION_QUIRKS)


def address(endpoint: Endpoint, operation: str, path: str) -> str:
    """The URL of an operation: `path` after the base URL, unless the endpoint has another one."""
    chosen = quirks_of(endpoint, operation).path or path
    return endpoint.base_url.rstrip("/") + chosen.replace("{model}", endpoint.upstream_model)


def adapted(body: Mapping[str, object], endpoint: Endpoint) -> dict[str, object]:
    """The body without what is None, and with the endpoint's `drop` and `rename`."""
    quirks = endpoint.quirks
    kept = {name: value for name, value in body.items() if value is not None and name not in quirks.drop}
    return {quirks.rename.get(name, name): value for name, value in kept.items()}


def passed_on(request: OneShotRequest, endpoint: Endpoint, operation: str) -> dict[str, object]:
    """What the endpoint's bodies always have, and the caller's options for its provider, as far as it lets them through."""
    quirks = quirks_of(endpoint, operation)
    given = request.options.get(endpoint.provider) or {}
    return {**quirks.set, **{name: given[name] for name in quirks.passthrough if name in given}}


def document(body: bytes) -> dict[str, Any]:
    """A body that should be a JSON object. Raises MalformedResponse, or the refusal that it holds."""
    try:
        value = loose.decode(body)
    except ValueError as error:
        raise MalformedResponse(f"the answer is not JSON: {error}", status=200) from None
    if not isinstance(value, dict):
        raise MalformedResponse("the answer is not a JSON object", status=200)
    refusal = refusal_of(value)
    if refusal is not None:
        raise refusal
    return value


def batches(items: Sequence[Any], endpoint: Endpoint, operation: str, limit: int) -> list[Sequence[Any]]:
    """`items` in pieces of at most the endpoint's own limit, or `limit`."""
    size = quirks_of(endpoint, operation).batch or limit
    return [items[start : start + size] for start in range(0, len(items), size)]


def counted(usages: Sequence[object]) -> RawUsage | None:
    """The sum of several calls' usage: counts are added, key by key. None when one of them says nothing."""
    total: dict[str, object] = {}
    for usage in usages:
        if not isinstance(usage, dict):
            return None
        for key, value in usage.items():
            before = total.get(key, 0)
            if isinstance(value, int | float) and isinstance(before, int | float):
                total[key] = before + value
            elif isinstance(value, dict):
                total[key] = value if len(usages) == 1 else counted([part for part in (total.get(key), value) if part is not None])
    return total or None


def whole_number(value: object) -> int | None:
    """`value` as a count; None when it is none."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def charges(usage: Usage, cost: Cost) -> dict[str, object]:
    """The money in a `usage` object, in USD (contract 2.4)."""
    upstream = cost.total if usage.upstream_cost is None else usage.upstream_cost
    return {
        "cost": usd(cost.total),
        "is_byok": cost.own_key,
        "cost_details": {
            "upstream_inference_cost": usd(upstream),
            "upstream_inference_prompt_cost": usd(cost.prompt),
            "upstream_inference_completions_cost": usd(cost.completion),
        },
    }
