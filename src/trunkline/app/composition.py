"""Builds every object of one worker. This is the only place that knows all rooms.

Order: storage, then what reads it (keys, budgets, recorder), the catalogue, the way out (transport, local model), the pipeline, and the
surface (API, pages). `start` and `stop` run on the worker's loop; `reload` has the catalogue replaced, unless the file is wrong.
"""

import gc
import logging
import time
from collections.abc import Mapping
from pathlib import Path

from msgspec import structs

from trunkline.accounts.keys import Keys
from trunkline.accounts.ledger_store import credits_totals, settle_batch
from trunkline.accounts.starting_keys import ensure_bootstrap_keys
from trunkline.analytics.upkeep import Upkeep
from trunkline.api.access import Lock
from trunkline.api.inference import InferenceRoute
from trunkline.api.routes import TABLE
from trunkline.api.services import ApiServices
from trunkline.api.site import EXCEPTION_HANDLERS, build_api
from trunkline.app import parts
from trunkline.app.dispatch import Dispatcher
from trunkline.app.environment import LOCAL_API_KEY, LocalPlace, find_board, find_tally
from trunkline.app.figures import Figures
from trunkline.app.framework import Framework
from trunkline.app.reload import Reload
from trunkline.auth.authenticator import Authenticator
from trunkline.auth.directory import KeyDirectory
from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.config import Tables, read_config
from trunkline.catalogue.first_seen import FirstSeen
from trunkline.catalogue.load import load as load_catalogue
from trunkline.catalogue.synced import synced_file
from trunkline.health.benchmarks import Benchmarks
from trunkline.health.hedges import HedgeBudget
from trunkline.health.measurements import Measurements
from trunkline.health.monitor import Monitor
from trunkline.health.stickiness import Stickiness
from trunkline.inference.attempts import Attempts
from trunkline.inference.cached import Cache
from trunkline.inference.classifier import Classifier
from trunkline.inference.contenders import Contenders
from trunkline.inference.embedding import LocalEmbedding
from trunkline.inference.hedging import Hedging
from trunkline.inference.ledger import Ledger
from trunkline.inference.lines import Lines
from trunkline.inference.losers import Losers
from trunkline.inference.oneshot import OneShot, Operation
from trunkline.inference.operations import OPERATIONS, RUNNERS
from trunkline.inference.pipeline import Pipeline
from trunkline.inference.route_reports import PATH as ROUTE_PATH
from trunkline.inference.route_reports import Explained, RouteReports
from trunkline.inference.routers import Routers
from trunkline.inference.routes import Launch, Routes
from trunkline.inference.samples import Samples
from trunkline.inference.services import Services
from trunkline.inference.skins import CHAT, CONVERSATIONS, MESSAGES, SKINS
from trunkline.inference.staging import Staging, file_loader
from trunkline.inference.token_counts import PATH as COUNT_PATH
from trunkline.inference.token_counts import TokenCounts
from trunkline.inference.unit_ledger import UnitLedger
from trunkline.inference.upstream import Upstream
from trunkline.inference.watch import Drains
from trunkline.limits.budgets import Budgets
from trunkline.local.process import EMBEDDER_COMMAND
from trunkline.local.supervisor import LocalModel
from trunkline.metering.estimates import Estimates
from trunkline.metering.recorder import Recorder
from trunkline.metering.spool import Spool
from trunkline.pages.services import Operation as PageOperation
from trunkline.pages.services import PageServices
from trunkline.pages.site import Site
from trunkline.plugins.caching.store import AnswersInMemory
from trunkline.plugins.files.engines import LOCAL
from trunkline.plugins.pdf.parser import PdfParser
from trunkline.providers.aws import Botocore
from trunkline.providers.credentials import Credentials
from trunkline.providers.signing import Signers
from trunkline.settings import Settings
from trunkline.storage.engines import Storage
from trunkline.transport.client import Client
from trunkline.transport.egress import EgressGuard

DEFAULT_CONFIG = Path("trunkline.toml")

logger = logging.getLogger(__name__)


class Gateway:
    """One worker's objects and their life."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], storage: Storage, place: LocalPlace, origin: str) -> None:
        """`origin` is where people reach the site (`http://127.0.0.1:8787`); links are made from it."""
        self._settings = settings
        self._origin = origin
        self._storage = storage
        self._environ = {**environ, LOCAL_API_KEY: place.api_key}
        self._first_seen = FirstSeen(settings.data_dir / "first-seen.json", time.time)
        self._children = _local_models(settings, self._environ, place)
        self._rules, self._catalogue = self._read()
        self._reload = Reload(self._read, self._take)
        self._client = Client(EgressGuard(), environ=environ)
        self._pdf = PdfParser(self._environ)
        self._signers = _make_signers(self._environ, self._client)
        self._directory = KeyDirectory(storage)
        self._authenticator = Authenticator(self._directory)
        self._budgets = Budgets(storage)
        self._figures = Figures(storage)
        self._health = Monitor(board=find_board(environ))
        ratings = Benchmarks(lambda: (self._rules.benchmarks, self._catalogue)).ratings
        self._measurements = Measurements(storage.connect_telemetry, self._health, self._model_of, ratings=ratings)
        spool = Spool(settings.data_dir / "spool", storage.worker_id)
        self._recorder = Recorder(
            spool,
            storage.connect_control,
            storage.connect_telemetry,
            storage.worker_id,
            settle_batch,
            shared=settings.data_dir if settings.workers > 1 else None,
            tally=find_tally(environ),
            observe=self._health.observe,
        )
        self._upkeep = Upkeep(storage, lambda: self._rules.storage.generation_days)
        self._routes = self._make_routes()
        self._lines = Lines(self._client, Credentials(self._environ), self._launchers, self._signers.to)
        self._attempts = Attempts(self._routes, self._health)
        services = self._make_services()
        self._hedging = Hedging(self._health, Losers(services.drains, services.ledger), HedgeBudget())
        self._hedge()
        pipeline, counts = Pipeline(services), TokenCounts(services, self._client, self._routes)
        inference = {path: InferenceRoute(pipeline, skin) for path, skin in SKINS.items()}
        oneshots = {path: self._make_oneshot(services, one) for path, one in OPERATIONS.items()}
        others = {path: InferenceRoute(oneshots[path], one.skin) for path, one in OPERATIONS.items()}
        reports = {name: Explained(pipeline, skin) for name, skin in CONVERSATIONS.items()}
        reports |= {one.name: Explained(oneshots[path], one.skin) for path, one in OPERATIONS.items()}
        self.application = Dispatcher(
            {
                **inference,
                **others,
                COUNT_PATH: InferenceRoute(counts, MESSAGES),
                ROUTE_PATH: InferenceRoute(RouteReports(services, reports), CHAT),
            },
            self._make_site(),
            self.start,
            self.stop,
        )

    async def start(self) -> None:
        """Load what is kept in memory and start the background work."""
        for warning in await ensure_bootstrap_keys(self._storage, self._settings):
            logger.warning("%s", warning)
        await self._directory.start()
        await self._budgets.start()
        self._recorder.start()
        await self._figures.refresh()
        self._figures.start()
        await self._measurements.start()
        self._upkeep.start()
        settle_heap()

    async def stop(self) -> None:
        """End in the reverse order: nothing recorded is lost."""
        await self._reload.done()
        self._figures.stop()
        await self._measurements.stop()
        self._upkeep.stop()
        for child in self._children.values():
            await child.stop()
        await self._pdf.close()
        await self._signers.close()
        await self._hedging.losers.close()
        await self._client.close()
        self._recorder.close()
        await self._budgets.close()
        await self._directory.close()
        await self._storage.close()

    def reload(self) -> None:
        """Begin to read `trunkline.toml` again, beside the requests; a wrong one is reported, and the old catalogue stays in force."""
        self._reload.ask()

    async def reloaded(self) -> None:
        """Wait until every reload that was asked for is over."""
        await self._reload.done()

    def _read(self) -> tuple[Tables, Catalogue]:
        return self._load_rules(), self._load_catalogue()

    def _take(self, read: tuple[Tables, Catalogue]) -> None:
        self._routes.credentials = self._lines.credentials = Credentials(self._environ)
        self._rules, self._catalogue = read
        self._figures.hurry()
        self._hedge()

    def _hedge(self) -> None:
        """Switch hedging on or off, as the rules say."""
        rules = self._rules.routing
        self._hedging.budget.share = rules.hedging_extra_load
        self._attempts.hedging = self._hedging if rules.hedging else None

    def _hedges(self) -> Mapping[str, float] | None:
        return None if self._attempts.hedging is None else self._hedging.counters()

    def _config_file(self) -> Path | None:
        return self._settings.config or (DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None)

    def _load_rules(self) -> Tables:
        config = self._config_file()
        return Tables() if config is None else read_config(config)

    def _load_catalogue(self) -> Catalogue:
        config = self._config_file()
        urls = {name: child.base_url for name, child in self._children.items()}
        synced = synced_file(self._settings.data_dir)
        return load_catalogue(
            config,
            self._environ,
            local=urls.get("local"),
            embedder=urls.get("embedder"),
            first_seen=self._first_seen,
            synced=synced,
        )

    def _make_routes(self) -> Routes:
        return Routes(self._client, Credentials(self._environ), self._launchers, self._signers.to)

    @property
    def _launchers(self) -> Mapping[str, Launch]:
        return {name: child.ready for name, child in self._children.items()}

    def _make_services(self) -> Services:
        health, estimates, classifier = self._health, Estimates(), self._make_classifier()
        return Services(
            catalogue=lambda: self._catalogue,
            authenticator=self._authenticator,
            budgets=self._budgets,
            estimates=estimates,
            health=health,
            attempts=self._attempts,
            upstream=Upstream(self._client, health.heard),
            ledger=Ledger(self._recorder, self._budgets, estimates),
            drains=Drains(),
            staging=Staging(lambda: self._catalogue, estimates, {LOCAL: self._pdf}, file_loader(self._client)),
            cache=Cache(AnswersInMemory(), self._recorder),
            routers=self._make_routers(classifier),
            stickiness=Stickiness(),
            samples=Samples(lambda: self._rules.routers.traffic.sample_seconds, classifier.ruled),
            own_host=self._settings.own_host,
        )

    def _make_classifier(self) -> Classifier:
        embedder = self._children.get("embedder")
        embed = None if embedder is None else LocalEmbedding(self._client, embedder.base_url, embedder.api_key, embedder.ready)
        return Classifier(embed)

    def _make_routers(self, classifier: Classifier) -> Routers:
        contenders = Contenders(self._figures.traffic, self._measurements.model_stats)
        return Routers(lambda: self._catalogue, lambda: self._rules.routers, contenders, classifier, traffic=self._figures.traffic)

    def _make_oneshot(self, services: Services, operation: Operation) -> OneShot:
        ledger = UnitLedger(self._recorder, self._budgets, services.estimates, operation.name)
        attempts = Attempts(self._lines, services.health)
        own = structs.replace(services, ledger=ledger, staging=None, routers=None, samples=None)
        return RUNNERS.get(operation.name, OneShot)(own, operation, attempts, self._client)

    def _make_site(self) -> Framework:
        services = ApiServices(
            catalogue=lambda: self._catalogue,
            authenticator=self._authenticator,
            keys=Keys(self._storage),
            keys_changed=self._directory.refresh,
            credits=self._credits,
            recorder=self._recorder,
            settings=self._settings,
            weekly_tokens=self._figures.weekly_tokens,
            endpoint_stats=self._measurements.endpoint_stats,
            model_stats=self._measurements.model_stats,
            site=self._origin,
            hedging=self._hedges,
        )
        pages = Site(
            PageServices(
                catalogue=lambda: self._catalogue,
                weekly_tokens=self._figures.weekly_tokens,
                origin=self._origin,
                operations=tuple(PageOperation(*structs.astuple(operation)) for operation in TABLE),
                opens=Lock(self._settings).opens,
            ),
            EXCEPTION_HANDLERS[Exception],
        )
        return Framework(
            [build_api(services), pages.router],
            exception_handlers=pages.exception_handlers,
            openapi_config=None,
            logging_config=None,
        )

    def _model_of(self, endpoint_id: str) -> str | None:
        endpoint = self._catalogue.endpoints.get(endpoint_id)
        return None if endpoint is None else endpoint.model

    async def _credits(self) -> tuple[int, int]:
        async with self._storage.reading(self._storage.control) as connection:
            return await credits_totals(connection)


def _make_signers(environ: Mapping[str, str], client: Client) -> Signers:
    session = parts.find("aws_session")
    return Signers(environ, client, parts.PARTS["google_keys"], chain=None if session is None else Botocore(session))


def settle_heap() -> None:
    """Take what start-up built out of the garbage collector's sight, so that no request waits for a walk through it (`gc.freeze`)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _local_models(settings: Settings, environ: Mapping[str, str], place: LocalPlace) -> dict[str, LocalModel]:
    """This server's own models, by `launch` of their endpoints."""
    models: dict[str, LocalModel] = {}
    if not place.off:
        models["local"] = LocalModel(
            place.weights, folder=settings.data_dir / "local", port=place.port, api_key=place.api_key, environ=environ
        )
    if place.embedder is not None:
        models["embedder"] = LocalModel(
            place.embedder,
            folder=settings.data_dir / "local-embedder",
            port=place.embedder_port,
            api_key=place.api_key,
            environ=environ,
            command=EMBEDDER_COMMAND,
        )
    return models
