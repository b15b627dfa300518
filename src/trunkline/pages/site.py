"""The table of pages, and what each route does: ask the catalogue, make the view, fill the template."""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from litestar import MediaType, Request, Response, Router
from litestar.exceptions import HTTPException, NotFoundException, PermissionDeniedException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ExceptionHandlersMap

from trunkline.catalogue.catalogue import Catalogue
from trunkline.pages import author_page, documents, headers, home, model_list, model_page, refusals
from trunkline.pages.assets import Asset, Assets
from trunkline.pages.render import Renderer
from trunkline.pages.services import PageServices
from trunkline.protocol.catalogue import Model

Handler = Callable[[Request[Any, Any, Any]], Awaitable[Response[bytes]]]
ErrorHandler = Callable[[Any, Any], Response[Any]]

_API_ROOTS = ("/api", "/health")
_PUBLIC_FILES = ("/static/", "/favicon.svg", "/robots.txt")


class Site:
    """The pages of one server. `router` serves them; `exception_handlers` are for the whole application.

    `answer_api` is how the API answers an error: its paths keep that, all others get a page.
    """

    def __init__(self, services: PageServices, answer_api: ErrorHandler) -> None:
        self._services = services
        self._answer_api = answer_api
        self._assets = Assets()
        self._renderer = Renderer(self._assets, services.origin)
        self.exception_handlers = _handlers(self._answer_error)
        self.router = Router(
            path="/",
            route_handlers=[self._serve(path, handler) for path, handler in self._routes()],
            exception_handlers=self.exception_handlers,
            include_in_schema=False,
        )

    def _answer_error(self, request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        """For errors of routes and of routing."""
        path = request.scope["path"]
        if any(path == root or path.startswith(f"{root}/") for root in _API_ROOTS):
            return self._answer_api(request, error)
        return refusals.answer(self._renderer, error if self._services.opens(request.scope) else PermissionDeniedException())

    def _routes(self) -> tuple[tuple[str, Handler], ...]:
        return (
            ("/", self._home),
            ("/models", self._models),
            ("/docs/errors", self._errors),
            ("/docs/operations", self._operations),
            ("/favicon.svg", self._favicon),
            ("/robots.txt", self._robots),
            ("/llms.txt", self._llms),
            ("/static/{name:str}", self._asset),
            ("/{author:str}", self._author),
            ("/{author:str}/{slug:str}", partial(self._model, "")),
            *(("/{author:str}/{slug:str}/" + tab, partial(self._model, tab)) for tab, _ in model_page.TABS if tab),
        )

    def _serve(self, path: str, handler: Handler) -> HTTPRouteHandler:
        """A route that is shut while the server's lock is, but for files that say nothing about it."""
        public = path.startswith(_PUBLIC_FILES)

        async def answer(request: Request[Any, Any, Any]) -> Response[bytes]:
            if not public and not self._services.opens(request.scope):
                raise PermissionDeniedException
            return await handler(request)

        return HTTPRouteHandler(path, http_method=["GET", "HEAD"], status_code=200)(answer)

    async def _home(self, _request: Request[Any, Any, Any]) -> Response[bytes]:
        view = home.view(self._services.catalogue(), self._services.weekly_tokens(), self._services.origin)
        return self._renderer.page("home.html", view=view, section="home")

    async def _models(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        fields = model_list.parse_fields(request.scope["query_string"])
        view = model_list.view(self._services.catalogue(), self._services.weekly_tokens(), fields, now=time.time())
        return self._renderer.page("models.html", status=400 if view.problem else 200, view=view, section="models")

    async def _author(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        view = author_page.view(self._services.catalogue(), self._services.weekly_tokens(), request.path_params["author"])
        if view is None:
            raise NotFoundException
        return self._renderer.page("author.html", view=view, section="models")

    async def _model(self, tab: str, request: Request[Any, Any, Any]) -> Response[bytes]:
        slug = f"{request.path_params['author']}/{request.path_params['slug']}"
        catalogue = self._services.catalogue()
        found = catalogue.resolve(slug)
        if found is None:
            raise NotFoundException
        if found.model.id != slug:
            return _redirect(model_page.tab_path(found.model.id, tab))
        return self._tab(tab, catalogue, found.model)

    def _tab(self, tab: str, catalogue: Catalogue, model: Model) -> Response[bytes]:
        tokens = self._services.weekly_tokens()
        if tab == "api":
            view = model_page.api_tab(catalogue, model, tokens, self._services.origin)
            return self._renderer.page("model_api.html", view=view, section="models")
        return self._renderer.page("model_overview.html", view=model_page.overview(catalogue, model, tokens), section="models")

    async def _errors(self, _request: Request[Any, Any, Any]) -> Response[bytes]:
        return self._renderer.page("errors.html", codes=documents.AVAILABILITY_CODES, types=documents.error_types(), section="errors")

    async def _operations(self, _request: Request[Any, Any, Any]) -> Response[bytes]:
        groups = documents.operation_groups(self._services.operations)
        total = len(self._services.operations)
        return self._renderer.page("operations.html", groups=groups, total=total, section="operations")

    async def _favicon(self, _request: Request[Any, Any, Any]) -> Response[bytes]:
        return _file(self._assets.plain("favicon.svg"), headers.PAGE)

    async def _asset(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        asset = self._assets.find(request.path_params["name"])
        if asset is None:
            raise NotFoundException
        return _file(asset, headers.ASSET)

    async def _robots(self, _request: Request[Any, Any, Any]) -> Response[bytes]:
        return _text(documents.robots())

    async def _llms(self, _request: Request[Any, Any, Any]) -> Response[bytes]:
        return _text(documents.llms(self._services.catalogue(), self._services.origin))


def _handlers(answer_error: ErrorHandler) -> ExceptionHandlersMap:
    """The handlers as plain functions: the framework copies what it is given, and a copied method brings a copy of its object."""

    def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        return answer_error(request, error)

    return {Exception: answer, HTTPException: answer}


def _redirect(path: str) -> Response[bytes]:
    """To the page under its own name; not for ever, since an alias may move."""
    return Response(b"", status_code=302, headers={**headers.PAGE, "Location": path}, media_type=MediaType.TEXT)


def _file(asset: Asset, extra: Any) -> Response[bytes]:
    return Response(asset.content, headers=dict(extra), media_type=asset.media_type)


def _text(content: str) -> Response[bytes]:
    return Response(content.encode(), headers=dict(headers.PAGE), media_type="text/plain")
