"""`POST /api/v1/route`: where a request would go and why, without a call to anyone (an extension of ours).

The body is that of any inference operation. Which one it is, the caller says by `?dialect=`, or its fields and its model tell. Files are
neither loaded nor read, so that nothing leaves this server; a request that reserves nothing costs nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs

import msgspec
from msgspec import Raw, Struct

from trunkline.errors import ApiError
from trunkline.inference import self_made
from trunkline.inference.availability import advise, all_excluded
from trunkline.inference.call import Call
from trunkline.inference.explain import Row
from trunkline.inference.hedging import Outlook
from trunkline.inference.metadata import strategy, task_stage
from trunkline.inference.pipeline import Pipeline
from trunkline.inference.reply import Reply
from trunkline.inference.routers import names_router
from trunkline.inference.services import Services
from trunkline.inference.skins import CONVERSATIONS, Skin
from trunkline.inference.staging import Begun, Candidates
from trunkline.inference.threads import matters, thread_of
from trunkline.plugins.stage import Note
from trunkline.plugins.wanted import asks, wanted
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.principal import Principal
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.routing import Plan

PATH: Final = "/api/v1/route"

_ANY: Final = "chat"
_MAX_FIELDS: Final = 10
_KEYS: Final = msgspec.json.Decoder(dict[str, Raw])
_SLUG: Final = msgspec.json.Decoder(str)
_encode = msgspec.json.Encoder().encode

MARKS: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("rerank", frozenset(("documents",))),
    ("speech", frozenset(("voice",))),
    ("transcription", frozenset(("input_audio",))),
    ("embeddings", frozenset(("encoding_format", "dimensions", "input_type"))),
    ("messages", frozenset(("system", "stop_sequences", "thinking", "anthropic_version", "fallbacks", "output_config"))),
    ("chat", frozenset(("messages",))),
    ("responses", frozenset(("input",))),
    ("completions", frozenset(("prompt",))),
)
"""Fields that tell the operation of a body, in the order of looking."""
_VAGUE: Final = frozenset(("responses", "completions", ""))
"""Operations whose marks others have too: there the model tells."""
_BY_OUTPUT: Final[Mapping[str, str]] = {
    "embeddings": "embeddings",
    "rerank": "rerank",
    "speech": "speech",
    "transcription": "transcription",
    "image": "images",
}
"""The operation of models that make such output and no text."""


class Report(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the caller gets. `prompt_tokens` and `completion_tokens` are what the predicted prices are for; `endpoints` are in the order in
    which they would be tried, `excluded` those that would not be; `error` is what the call itself would be told, when nothing is left;
    `hedge` tells what hedging would do, where the operator has it on; `pipeline` what stages would do to the request for the first
    endpoint."""

    dialect: str
    requested: str
    strategy: str
    prompt_tokens: int
    completion_tokens: int
    endpoints: list[Row]
    excluded: list[Row]
    error: dict[str, object] | None = None
    hedge: Outlook | None = None
    pipeline: list[Note] = []


class Planned(Struct, frozen=True):
    """A plan, the model and the tokens of the prompt that prices are for, and what stages would do for its first endpoint."""

    plan: Plan
    model: str
    prompt_tokens: int
    notes: list[Note]


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
        name = named_dialect(call.query, self._operations) or dialect_of(call.body, self._outputs)
        operation = self._operations[name]
        call.skin = operation.skin
        request = operation.pipeline.bound(call, operation.skin.parse(call.body))
        if names_router(request.models):
            request = await operation.pipeline.routed(call, principal, request)
        candidates = self._candidates(principal, operation.pipeline, request)
        planned = await self._planned(call, principal, operation.pipeline, request, candidates)
        await reply.whole(200, _encode({"data": self._report(name, operation.pipeline, request, planned)}))

    async def _planned(self, call: Call, principal: Principal, pipeline: Pipeline, request: InboundRequest, among: Candidates) -> Planned:
        """The plan as the call itself would make it, but for files. Raises ApiError for plugins that cannot be had."""
        services, staging, begun, thread = self._services, self._services.staging, Begun(None, among), None
        if (request.chosen is not None and request.chosen.answer is not None) or call.skin not in CONVERSATIONS.values():
            staging = None
        if staging is not None and asks(request):
            wanted(request)
            if "file" not in request.modalities:
                begun = await staging.begin(call, request, among)
        model = begun.candidates[0][0].model
        tokens = services.estimates.tokens(model, request.prompt_bytes)
        if services.stickiness is not None and matters(request, begun.candidates):
            thread = thread_of(call, principal, request)
        plan = pipeline.planned(request, tokens, begun, thread)
        if not plan.attempts and staging is not None and (rescued := staging.rescue(call, request, plan, begun.staged)):
            begun, plan = rescued, pipeline.planned(request, tokens, rescued)
        if begun.staged is None or not plan.attempts:
            return Planned(plan, model, tokens, [])
        begun.staged.applied(begun.staged.base, plan.attempts[0])
        most = begun.staged.most_tokens
        return Planned(plan, model, tokens if most is None else min(tokens, most), begun.staged.notes)

    def _outputs(self, slug: str) -> Sequence[str]:
        """What a model makes; nothing where no model has this name."""
        resolved = self._services.catalogue().resolve(slug)
        return () if resolved is None else resolved.model.output_modalities

    def _report(self, name: str, pipeline: Pipeline, request: InboundRequest, planned: Planned) -> Report:
        services, catalogue = self._services, self._services.catalogue()
        plan, prompt_tokens = planned.plan, planned.prompt_tokens
        seen = pipeline.described(request, plan, prompt_tokens)
        hedging = services.attempts.hedging
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
            completion_tokens=services.estimates.output_tokens(planned.model, request.max_tokens) if name in CONVERSATIONS else 0,
            endpoints=[row for row in seen if row.rank is not None],
            excluded=[row for row in seen if row.rank is None],
            error=error,
            hedge=None if hedging is None else hedging.outlook(request, plan.attempts, fallbacks=plan.allow_fallbacks),
            pipeline=[*task_stage(request), *planned.notes],
        )

    def _candidates(self, principal: Principal, pipeline: Pipeline, request: InboundRequest) -> list[tuple[Endpoint, ...]]:
        """The endpoints of each model; this server alone, for what a router answers itself."""
        if request.chosen is not None and request.chosen.answer is not None:
            return [(self_made.endpoint_of(request.chosen),)]
        return pipeline.fitting(request, pipeline.resolved(principal, request))


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


def dialect_of(body: bytes, outputs: Callable[[str], Sequence[str]] = lambda _slug: ()) -> str:
    """The operation whose body this looks like; `chat`, which tells what is wrong, for what is no JSON object. `outputs` tells what a model
    makes. Raises ApiError when neither the fields nor the model tell."""
    try:
        fields = _KEYS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _ANY
    found = next((name for name, marks in MARKS if not marks.isdisjoint(fields)), "")
    if found in _VAGUE:
        found = _of_model(fields, outputs) or found
    if not found:
        raise ApiError("invalid_request", "Whose body is this? Send messages, input or prompt, or name the operation by ?dialect=")
    return found


def _of_model(fields: Mapping[str, Raw], outputs: Callable[[str], Sequence[str]]) -> str:
    """The operation of the model that a body names, "" where it makes text or is not known."""
    try:
        made = outputs(_SLUG.decode(fields["model"]))
    except (KeyError, msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return "" if "text" in made else next((_BY_OUTPUT[one] for one in made if one in _BY_OUTPUT), "")
