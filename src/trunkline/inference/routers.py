"""The stage between reading a request and looking for its models: router slugs become the models that they stand for (contract 3.7).

Only requests that name a router or `~author/family-latest` come here; `names_router` is what all others pay.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct, structs

from trunkline.catalogue import router_rows, slugs
from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.config import RoutersTable
from trunkline.dialects.chat.request import ChatRequest
from trunkline.errors import ApiError
from trunkline.inference import availability
from trunkline.inference.call import Call
from trunkline.inference.classifier import Classifier
from trunkline.inference.contenders import Contenders
from trunkline.inference.latest import fit_effort
from trunkline.inference.prompt import Prompt, read
from trunkline.inference.remembered import Remembered
from trunkline.inference.spellings import Spellings
from trunkline.inference.threads import session_of
from trunkline.protocol.principal import Principal
from trunkline.protocol.request import Chosen, InboundRequest
from trunkline.protocol.traffic import Traffic
from trunkline.routing.routers import auto, bodybuilder, free, pareto
from trunkline.routing.routers.contender import Contender, no_match
from trunkline.routing.routers.options import AutoBetaOptions, AutoOptions, ParetoOptions, options_of
from trunkline.routing.routers.shares import NO_USE, believed

AUTO_SECONDS: Final = 600.0
PARETO_SECONDS: Final = 300.0
"""How long after its last request a conversation goes on with the model that it has (contract 0.14)."""
MOST_CONVERSATIONS: Final = 10_000
_NAMED_AT_MOST: Final = 8
"""Routers in one request; each of them looks at all models."""


_PLUGINS: Final[Mapping[str, tuple[str, type[AutoBetaOptions]]]] = {
    router_rows.AUTO: ("auto-router", AutoOptions),
    router_rows.AUTO_BETA: ("auto-beta-router", AutoBetaOptions),
}
"""The plugin from which each automatic router reads its options, and what they are."""


class _Message(Struct):
    role: str = ""
    model: object = None


_MESSAGES: Final = msgspec.json.Decoder(list[_Message])


class Asked(Struct, frozen=True):
    """A request to a router: `slug` as the caller wrote it without dynamic variants, which are in `variants`. `named`: the caller gave the
    conversation a name."""

    request: InboundRequest
    catalogue: Catalogue
    slug: str
    variants: tuple[str, ...]
    prompt: Prompt
    conversation: tuple[str, str, object]
    named: bool


def names_router(models: Sequence[str]) -> bool:
    """Whether one of the models has to be chosen or looked at first."""
    for slug in models:  # noqa: SIM110 - every request comes here, and a generator costs more than the rest
        if slug[:1] == "~" or (slug[10:11] == "/" and slug[:11].lower() == slugs.ROUTERS):
            return True
    return False


class Routers:
    """Chooses. `catalogue` and `table` return what is in force, `traffic` what was used lately; `draw` gives random numbers in [0, 1),
    `clock` seconds."""

    def __init__(
        self,
        catalogue: Callable[[], Catalogue],
        table: Callable[[], RoutersTable],
        contenders: Contenders,
        classifier: Classifier,
        *,
        traffic: Callable[[], Traffic] = Traffic,
        draw: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalogue = catalogue
        self._table = table
        self._contenders = contenders
        self._classifier = classifier
        self._traffic = traffic
        self._draw = draw
        longer: Remembered[str] = Remembered(MOST_CONVERSATIONS, AUTO_SECONDS, clock)
        shorter: Remembered[str] = Remembered(MOST_CONVERSATIONS, PARETO_SECONDS, clock)
        self._served: Mapping[str, Remembered[str]] = {
            **dict.fromkeys((router_rows.AUTO, router_rows.AUTO_BETA, router_rows.FREE), longer),
            router_rows.PARETO_CODE: shorter,
        }
        self._spellings = Spellings()
        self._by_slug: Mapping[str, Callable[[Asked], tuple[Chosen, list[str]]]] = {
            router_rows.FREE: self._choose_free,
            router_rows.PARETO_CODE: self._choose_pareto,
            router_rows.BODYBUILDER: self._choose_bodybuilder,
        }

    async def expand(self, call: Call, principal: Principal, request: InboundRequest) -> InboundRequest:
        """The request with concrete models, and with what was chosen. Raises ApiError for wrong options, and when no model is left."""
        catalogue = self._catalogue()
        names: list[str] = []
        chosen: Chosen | None = None
        routers = 0
        for slug in request.models:
            parts = slugs.take_apart(slug)
            if parts is None or parts.listed not in catalogue.routers:
                names.append(slug)
                continue
            routers += 1
            if routers > _NAMED_AT_MOST:
                raise ApiError("invalid_request", f"models: More than {_NAMED_AT_MOST} routers")
            picked, models = await self._choose(self._asked(call, principal, request, catalogue, parts))
            chosen = chosen or picked
            names += [":".join((model, *parts.dynamic)) for model in models]
        if not names:
            raise no_match(request.models)
        first = request.model or request.models[0]
        if names[0].startswith("~"):
            chosen, request = chosen or Chosen(""), _latest(call, request, catalogue, names[0])
        return structs.replace(request, model=first, models=tuple(dict.fromkeys(names)), chosen=chosen)

    def served(self, chosen: Chosen, model: str) -> None:
        """Note which model answered: the conversation goes on with it while it is a candidate (contract 3.8)."""
        if chosen.conversation is not None:
            self._served[chosen.router].put(chosen.conversation, model)

    def _asked(self, call: Call, principal: Principal, request: InboundRequest, catalogue: Catalogue, parts: slugs.Slug) -> Asked:
        if isinstance(request, ChatRequest) and request.legacy:
            raise availability.needs_messages(parts.listed)
        if "online" in parts.dynamic:
            raise availability.no_search(":".join((parts.listed, *parts.dynamic)))
        prompt = read(call.skin.conversation(request))
        name = session_of(call, request)
        conversation = (principal.key_hash, parts.listed, name or prompt.fingerprint)
        return Asked(request, catalogue, parts.listed, parts.dynamic, prompt, conversation, bool(name))

    async def _choose(self, asked: Asked) -> tuple[Chosen, list[str]]:
        """What a router makes of the request. The work is done off the loop, since it looks at all models."""
        if asked.slug in _PLUGINS:
            return await self._choose_auto(asked)
        return await asyncio.to_thread(self._by_slug[asked.slug], asked)

    async def _choose_auto(self, asked: Asked) -> tuple[Chosen, list[str]]:
        plugin, kind = _PLUGINS[asked.slug]
        options = options_of(asked.request.fields, plugin, kind)
        task = await self._classifier.task(asked.conversation, asked.prompt.last)
        table = self._table()
        used = believed(self._traffic().tasks.get(task, NO_USE), table.traffic.least_requests) if table.traffic.rank else NO_USE
        pinned = _pinned(asked) if isinstance(options, AutoOptions) and options.pin_model else None
        before = pinned or self._before(asked)
        models = await asyncio.to_thread(
            lambda: auto.choose(self._find(asked), options, table.ranking(task), used=used, before=before, pinned=pinned is not None)
        )
        return Chosen(asked.slug, task, conversation=asked.conversation), models

    def _choose_free(self, asked: Asked) -> tuple[Chosen, list[str]]:
        models = free.choose(self._find(asked), self._draw(), before=self._before(asked))
        return Chosen(asked.slug, conversation=asked.conversation), models

    def _choose_pareto(self, asked: Asked) -> tuple[Chosen, list[str]]:
        options = options_of(asked.request.fields, "pareto-router", ParetoOptions)
        scores = {model.lower(): score for model, score in self._table().coding_scores.items()}
        if not scores:
            raise no_match(asked.request.models, f": this server has no coding scores for {asked.slug}")
        models = pareto.choose(self._find(asked), scores, options, fast="nitro" in asked.variants, before=self._before(asked))
        return Chosen(asked.slug, conversation=asked.conversation, standbys=tuple(models)), models

    def _before(self, asked: Asked) -> str | None:
        """The model that served the conversation last, as far back as that is remembered. One that has no name and no answer yet is new,
        though another may have begun alike."""
        return self._served[asked.slug].get(asked.conversation) if asked.named or asked.prompt.continued else None

    def _choose_bodybuilder(self, asked: Asked) -> tuple[Chosen, list[str]]:
        contenders = self._contenders.find(asked.catalogue, _without_needs(asked.request))
        spellings = self._spellings.of(asked.catalogue)
        fallback = auto.choose(contenders, AutoBetaOptions())
        return Chosen(asked.slug, answer=bodybuilder.compose(asked.prompt.last, spellings, fallback)), [asked.slug]

    def _find(self, asked: Asked) -> list[Contender]:
        return self._contenders.find(asked.catalogue, asked.request)


def _without_needs(request: InboundRequest) -> InboundRequest:
    """The request as far as a router that only writes requests has to look at it."""
    return structs.replace(request, parameters=frozenset(), modalities=frozenset())


def _latest(call: Call, request: InboundRequest, catalogue: Catalogue, slug: str) -> InboundRequest:
    """A request whose first model is the latest of a family, with an effort that the model of the day has."""
    resolved = catalogue.resolve(slug)
    return request if resolved is None else fit_effort(call, request, resolved.model.reasoning)


def _pinned(asked: Asked) -> str | None:
    """The id of the model that wrote the last assistant message, as that message says; None where it says nothing that is known."""
    raw = asked.request.fields.get("messages")
    try:
        messages = [] if raw is None else _MESSAGES.decode(raw)
    except msgspec.MsgspecError:
        return None
    said = next((message.model for message in reversed(messages) if message.role == "assistant"), None)
    resolved = asked.catalogue.resolve(said) if isinstance(said, str) else None
    return None if resolved is None else resolved.model.id
