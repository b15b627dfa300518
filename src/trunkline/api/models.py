"""The catalogue as programs read it: models, their endpoints, and how many there are (contract 5.13).

The unfiltered list is by far the most wanted and the same for everybody: it is encoded once for each catalogue and each count of tokens.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, structs

from trunkline.api.call import Call, Reply, reply
from trunkline.catalogue import listing, rss
from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.query import ModelQuery, parse_query
from trunkline.catalogue.statistics import UNMEASURED_MODEL, EndpointStats, ModelStats
from trunkline.catalogue.views import endpoint_view, endpoints_view, model_view
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Endpoint, Model
from trunkline.protocol.principal import Principal
from trunkline.protocol.regions import FORWARDED, asked_region

_RSS = "application/rss+xml"
_ANYTHING = ModelQuery()
_LONGEST_ECHO = 200
_HOSTS = ("host", FORWARDED.decode())


class WholeList(Struct, frozen=True):
    """The unfiltered list, encoded, and what it was made from."""

    catalogue: Catalogue
    tokens: Mapping[str, int]
    answer: Reply
    etag: str


class Models:
    """The tags Models and Endpoints. `tokens` gives the tokens of the last seven days by model id, `stats` what was measured of an
    endpoint, and `models` what was measured of models, by id; `site` is the origin of the web pages, for the feed; `own_host` the server's
    own name, that which no region is read from (`protocol.regions`).

    Under the name of a region there is only what is processed in that (contract 3.12)."""

    def __init__(
        self,
        catalogue: Callable[[], Catalogue],
        tokens: Callable[[], Mapping[str, int]],
        stats: Callable[[str], EndpointStats | None],
        models: Callable[[], Mapping[str, ModelStats]],
        *,
        site: str,
        own_host: str = "",
    ) -> None:
        self._own_host = own_host
        self._catalogue = catalogue
        self._tokens = tokens
        self._stats = stats
        self._models = models
        self._site = site
        self._whole: WholeList | None = None

    async def search(self, call: Call) -> Reply:
        """`GET /models`: all, filtered, sorted, paged, or as an RSS feed. Answers 304 to a caller who has the unfiltered list."""
        query = self._query(call)
        if query.use_rss:
            page = self._select(query)
            feed = rss.render(page.models, self._site, chat_links=bool(query.use_rss_chat_links))
            return Reply(feed.encode(), media_type=_RSS)
        if query == _ANYTHING:
            return self._answer_whole(call)
        return self._answer(call, query)

    async def search_callable(self, call: Call) -> Reply:
        """`GET /models/user`: as `GET /models`, but only what the caller can call now."""
        return self._answer(call, structs.replace(self._query(call), available=True))

    async def search_embeddings(self, call: Call) -> Reply:
        """`GET /embeddings/models`: the models that give embeddings."""
        return self._answer(call, structs.replace(self._query(call), output_modalities=("embeddings",)))

    async def count(self, call: Call) -> Reply:
        """`GET /models/count`: how many models `GET /models` would find."""
        return reply({"data": {"count": self._select(self._query(call)).total}})

    async def read(self, call: Call) -> Reply:
        """`GET /model/{author}/{slug}`: one model, by id, alias, dated slug or variant."""
        catalogue = self._catalogue()
        slug = f"{call.path['author']}/{call.path['slug']}".lower()
        stands_in = catalogue.mirrors.get(slug) or catalogue.routers.get(slug)
        return reply({"data": model_view(catalogue, stands_in or _find(catalogue, call.path))})

    async def read_endpoints(self, call: Call) -> Reply:
        """`GET /models/{author}/{slug}/endpoints`: who serves the model, at which price, and how well lately."""
        catalogue = self._catalogue()
        model = _find(catalogue, call.path)
        endpoints = self._in_region(call, catalogue.endpoints_of(model.id))
        return reply({"data": endpoints_view(model, endpoints, self._measured(endpoints, call.principal))})

    async def list_zdr_endpoints(self, call: Call) -> Reply:
        """`GET /endpoints/zdr`: the endpoints that keep no prompt."""
        catalogue = self._catalogue()
        endpoints = self._in_region(call, [endpoint for endpoint in catalogue.endpoints.values() if endpoint.data_policy.zdr])
        measured = self._measured(endpoints, call.principal)
        views = [endpoint_view(endpoint, catalogue.models[endpoint.model], measured.get(endpoint.id)) for endpoint in endpoints]
        return reply({"data": views})

    def _query(self, call: Call) -> ModelQuery:
        """What is asked for, by the query and by the host. Raises ApiError `invalid_request` naming a parameter."""
        query, region = parse_query(_fields(call)), self._region(call)
        return structs.replace(query, host_region=region) if region else query

    def _region(self, call: Call) -> str:
        """The region that the host names, "" = none."""
        return asked_region({name.encode(): call.headers.get(name, "").encode() for name in _HOSTS}, self._own_host)

    def _in_region(self, call: Call, endpoints: Sequence[Endpoint]) -> Sequence[Endpoint]:
        region = self._region(call)
        return [endpoint for endpoint in endpoints if endpoint.region == region] if region else endpoints

    def _select(self, query: ModelQuery) -> listing.Page:
        figures = dict(self._models())
        for model, tokens in self._tokens().items():
            figures[model] = structs.replace(figures.get(model, UNMEASURED_MODEL), tokens_week=tokens)
        return listing.select(self._catalogue(), query, now=time.time(), stats=figures, stand_ins=not query.use_rss)

    def _answer(self, call: Call, query: ModelQuery) -> Reply:
        return reply(listing.models_view(self._catalogue(), self._select(query), call.operation.path, _fields(call)))

    def _answer_whole(self, call: Call) -> Reply:
        catalogue, tokens = self._catalogue(), self._tokens()
        whole = self._whole
        if whole is None or whole.catalogue is not catalogue or whole.tokens != tokens:
            answer = self._answer(call, _ANYTHING)
            etag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
            whole = WholeList(catalogue, dict(tokens), structs.replace(answer, headers=(("ETag", etag),)), etag)
            self._whole = whole
        if whole.etag in call.headers.get("if-none-match", ""):
            return Reply(b"", status=304, headers=whole.answer.headers)
        return whole.answer

    def _measured(self, endpoints: Sequence[Endpoint], caller: Principal | None) -> Mapping[str, EndpointStats]:
        """What was measured of the endpoints, by id; latency, throughput and counts of answers only with a key (contract 1.2)."""
        figures = {endpoint.id: self._stats(endpoint.id) for endpoint in endpoints}
        known = {id: stats for id, stats in figures.items() if stats is not None}
        if caller is not None:
            return known
        hidden: dict[str, None] = dict.fromkeys(("latency", "throughput", "tool_calls", "structured_outputs"))
        return {id: structs.replace(stats, **hidden) for id, stats in known.items()}


def _fields(call: Call) -> Mapping[str, Sequence[str]]:
    """All values of each query field."""
    fields: dict[str, list[str]] = {}
    for name, value in call.query:
        fields.setdefault(name, []).append(value)
    return fields


def _find(catalogue: Catalogue, path: Mapping[str, str]) -> Model:
    slug = f"{path['author']}/{path['slug']}"
    found = catalogue.resolve(slug)
    if found is None:
        raise ApiError("not_found", f"Model {slug[:_LONGEST_ECHO]} not found")
    return found.model
