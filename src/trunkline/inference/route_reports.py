"""`POST /api/v1/route`: where a request would go and why, without a call to anyone (an extension of ours).

The body is that of any inference operation. Which one it is, the caller says by `?dialect=`, or its fields tell. Plugins are not applied
and files are not loaded, so that nothing leaves this server; a request that reserves nothing costs nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qs

import msgspec
from msgspec import Raw, Struct

from trunkline.errors import ApiError
from trunkline.inference import self_made
from trunkline.inference.availability import advise, all_excluded
from trunkline.inference.call import Call
from trunkline.inference.candidates import resolve
from trunkline.inference.explain import Row
from trunkline.inference.metadata import strategy
from trunkline.inference.pipeline import Pipeline
from trunkline.inference.reply import Reply
from trunkline.inference.routers import names_router
from trunkline.inference.services import Services
from trunkline.inference.skins import Skin
from trunkline.inference.staging import Begun
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.request import InboundRequest

PATH: Final = "/api/v1/route"

_ANY: Final = "chat"
_MAX_FIELDS: Final = 10
_KEYS: Final = msgspec.json.Decoder(dict[str, Raw])
_encode = msgspec.json.Encoder().encode

MARKS: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("rerank", frozenset(("documents",))),
    ("speech", frozenset(("voice",))),
    ("embeddings", frozenset(("encoding_format", "dimensions", "input_type"))),
    ("messages", frozenset(("system", "stop_sequences", "thinking", "anthropic_version", "fallbacks", "output_config"))),
    ("chat", frozenset(("messages",))),
    ("responses", frozenset(("input",))),
    ("completions", frozenset(("prompt",))),
)
"""Fields that tell the operation of a body, in the order of looking."""


class Report(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the caller gets. `prompt_tokens` and `completion_tokens` are what the predicted prices are for; `endpoints` are in the order in
    which they would be tried, `excluded` those that would not be; `error` is what the call itself would be told, when nothing is left."""

    dialect: str
    requested: str
    strategy: str
    prompt_tokens: int
    completion_tokens: int
    endpoints: list[Row]
    excluded: list[Row]
    error: dict[str, object] | None = None


class Explained(Struct, frozen=True):
    """One operation that can be asked about: who runs it, and how its clients speak."""

    pipeline: Pipeline
    skin: Skin


class RouteReports:
    """Answers such calls. `operations` are by the names that `?dialect=` takes, `chat` among them."""

    def __init__(self, services: Services, operations: Mapping[str, Explained]) -> None:
        self._services = services
        self._operations = operations

    async def run(self, call: Call, reply: Reply) -> None:
        """Answer one call. Raises ApiError for a caller that may not ask, a body that is wrong, and a model that nobody has here."""
        principal = await self._operations[_ANY].pipeline.authenticated(call)
        name = named_dialect(call.query, self._operations) or dialect_of(call.body)
        operation = self._operations[name]
        call.skin = operation.skin
        request = operation.skin.parse(call.body)
        if names_router(request.models):
            request = await operation.pipeline.routed(call, principal, request)
        await reply.whole(200, _encode({"data": self._report(name, operation.pipeline, request)}))

    def _report(self, name: str, pipeline: Pipeline, request: InboundRequest) -> Report:
        services, catalogue = self._services, self._services.catalogue()
        candidates = self._candidates(pipeline, request)
        model = candidates[0][0].model
        prompt_tokens = services.estimates.tokens(model, request.prompt_bytes)
        plan = pipeline.planned(request, prompt_tokens, Begun(None, candidates))
        seen = pipeline.described(request, plan, prompt_tokens)
        error = None
        if not plan.attempts:
            refusal = all_excluded(plan, request.models, request.preferences.only)
            advise(refusal, catalogue, request.models)
            error = {"code": refusal.status, "message": refusal.message, "availability": refusal.availability}
        return Report(
            dialect=name,
            requested=request.model or request.models[0],
            strategy=strategy(catalogue, request, plan.attempts[0].model if plan.attempts else None),
            prompt_tokens=prompt_tokens,
            completion_tokens=services.estimates.output_tokens(model, request.max_tokens),
            endpoints=[row for row in seen if row.rank is not None],
            excluded=[row for row in seen if row.rank is None],
            error=error,
        )

    def _candidates(self, pipeline: Pipeline, request: InboundRequest) -> list[tuple[Endpoint, ...]]:
        """The endpoints of each model; this server alone, for what a router answers itself."""
        if request.chosen is not None and request.chosen.answer is not None:
            return [(self_made.endpoint_of(request.chosen),)]
        return pipeline.fitting(request, resolve(self._services.catalogue(), request))


def named_dialect(query: bytes, known: Iterable[str]) -> str:
    """The operation that a query names, "" = none. Raises ApiError for one that is not there."""
    if not query:
        return ""
    try:
        named = parse_qs(query.decode("latin-1"), max_num_fields=_MAX_FIELDS).get("dialect", [""])[-1]
    except ValueError:
        raise ApiError("invalid_request", f"The query string has more than {_MAX_FIELDS} fields.") from None
    if named and named not in known:
        raise ApiError("invalid_request", f"dialect: {named[:40]!r} is none of {', '.join(sorted(known))}")
    return named


def dialect_of(body: bytes) -> str:
    """The operation whose body this looks like. Raises ApiError when none does."""
    try:
        keys = _KEYS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError("invalid_request", f"The body is not a JSON object: {error}") from None
    for name, marks in MARKS:
        if not marks.isdisjoint(keys):
            return name
    raise ApiError("invalid_request", "Whose body is this? Send messages, input or prompt, or name the operation by ?dialect=")
