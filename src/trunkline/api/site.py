"""From the table of operations to Litestar handlers: one for each row, all with the same frame around the row's own function.

The frame: the operator's lock (`access`) for management operations, authentication, the body under its limit, the handler, CORS
headers. The live inference operations are not here: `app.composition` sends them to `api.inference` before the web framework sees them.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

from litestar import Litestar, Request, Response, Router
from litestar.exceptions import HTTPException, InternalServerException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ExceptionHandlersMap, Method

from trunkline.api import bodies, cors, problems
from trunkline.api.access import Lock
from trunkline.api.call import Call, Reply
from trunkline.api.credits import Credits
from trunkline.api.generations import Generations
from trunkline.api.health import Health
from trunkline.api.image_models import ImageModels
from trunkline.api.keys import Keys
from trunkline.api.models import Models
from trunkline.api.providers import Providers
from trunkline.api.routes import TABLE, Auth, Operation, allowed
from trunkline.api.services import ApiServices
from trunkline.auth.permissions import require_inference, require_management
from trunkline.errors import ApiError, StorageUnavailable
from trunkline.protocol.principal import Principal

Handler = Callable[[Call], Awaitable[Reply]]

EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    Exception: problems.answer,
    HTTPException: problems.answer,
}
"""For the Litestar app: errors of routing (404, 405) are raised outside of any router."""

_PERMISSIONS: Mapping[Auth, Callable[[Principal], None]] = {"key": require_inference, "management": require_management}
_PARAMETER = re.compile(r"\{(\w+)\}")
_BODIES = frozenset({"POST", "PUT", "PATCH"})
_MAX_FIELDS = 100


def handlers(services: ApiServices) -> Mapping[tuple[str, str], Handler]:
    """The function of each live operation, by method and path."""
    models = Models(
        services.catalogue,
        services.weekly_tokens,
        services.endpoint_stats,
        services.model_stats,
        site=services.site,
        own_host=services.settings.own_host,
    )
    images = ImageModels(services.catalogue)
    providers, generations, credits = Providers(services.catalogue), Generations(services.recorder), Credits(services.credits)
    keys = Keys(services.keys, services.keys_changed, services.credits)
    return {
        ("GET", "/api/v1/models"): models.search,
        ("GET", "/api/v1/models/count"): models.count,
        ("GET", "/api/v1/models/user"): models.search_callable,
        ("GET", "/api/v1/model/{author}/{slug}"): models.read,
        ("GET", "/api/v1/models/{author}/{slug}/endpoints"): models.read_endpoints,
        ("GET", "/api/v1/endpoints/zdr"): models.list_zdr_endpoints,
        ("GET", "/api/v1/embeddings/models"): models.search_embeddings,
        ("GET", "/api/v1/images/models"): images.list,
        ("GET", "/api/v1/images/models/{author}/{slug}/endpoints"): images.read_endpoints,
        ("GET", "/api/v1/providers"): providers.list,
        ("GET", "/api/v1/key"): keys.read_own,
        ("GET", "/api/v1/keys"): keys.list,
        ("POST", "/api/v1/keys"): keys.create,
        ("GET", "/api/v1/keys/{hash}"): keys.read,
        ("PATCH", "/api/v1/keys/{hash}"): keys.update,
        ("DELETE", "/api/v1/keys/{hash}"): keys.delete,
        ("GET", "/api/v1/credits"): credits.read,
        ("POST", "/api/v1/credits/coinbase"): credits.refuse_coinbase,
        ("GET", "/api/v1/generation"): generations.read,
        ("GET", "/health"): Health(services.recorder.counters, services.hedging).answer,
    }


def build_api(services: ApiServices) -> Router:
    """All operations but the live inference ones, as one router without a prefix of its own."""
    lock, functions = Lock(services.settings), handlers(services)
    rows = [operation for operation in TABLE if not operation.raw]
    routes = [_serve_options(path) for path in sorted({operation.path for operation in rows})]
    routes += [_serve(operation, functions.get((operation.method, operation.path), _refuse_planned), services, lock) for operation in rows]
    return Router(
        path="/",
        route_handlers=routes,
        exception_handlers=EXCEPTION_HANDLERS,
        request_max_body_size=bodies.MAX_BYTES,
        include_in_schema=False,
    )


def build_app(services: ApiServices) -> Litestar:
    """The API alone as an ASGI application, without inference and pages: what tests and embedders of the management API need."""
    return Litestar([build_api(services)], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None, logging_config=None)


def _serve(operation: Operation, handler: Handler, services: ApiServices, lock: Lock) -> HTTPRouteHandler:
    extra = {name.decode(): value.decode() for name, value in cors.RESPONSE_HEADERS} if operation.browsers else {}
    methods = ["GET", "HEAD"] if operation.method == "GET" else [operation.method]

    async def answer(request: Request[Any, Any, Any]) -> Response[bytes]:
        if operation.auth == "management":
            lock.require(request.scope)
        principal = await _authenticate(operation, services, request)
        result = await handler(
            Call(
                operation=operation,
                principal=principal,
                path=request.path_params,
                query=_parse_query(request.scope["query_string"]),
                headers=request.headers,
                body=await _read_body(request) if operation.method in _BODIES else b"",
            )
        )
        return Response(result.body, status_code=result.status, headers=dict(result.headers) | extra, media_type=result.media_type)

    return HTTPRouteHandler(_litestar_path(operation.path), http_method=cast(list[Method], methods), status_code=200)(answer)


def _serve_options(path: str) -> HTTPRouteHandler:
    async def answer(request: Request[Any, Any, Any]) -> Response[None]:
        granted = cors.preflight(path, request.scope["headers"]) or []
        headers = {name.decode(): value.decode() for name, value in granted} | {"Allow": allowed(path)}
        return Response(None, status_code=204, headers=headers)

    return HTTPRouteHandler(_litestar_path(path), http_method=["OPTIONS"], status_code=204)(answer)


async def _read_body(request: Request[Any, Any, Any]) -> bytes:
    """The whole body. Raises ApiError `timeout` when its sender stops, for the framework's error, which looks like one of ours."""
    try:
        return await request.body()
    except InternalServerException:
        raise ApiError("timeout", "The client closed the connection inside the request body", status=408) from None


async def _authenticate(operation: Operation, services: ApiServices, request: Request[Any, Any, Any]) -> Principal | None:
    """Who calls. Raises ApiError `authentication` (401) or `permission_denied` (403, the wrong kind of key); StorageUnavailable."""
    if operation.auth == "none":
        return None
    authorization = _header(request.scope["headers"], b"authorization")
    if operation.auth == "public":
        return await _recognise(services, authorization)
    principal = await services.authenticator.authenticate(authorization)
    if operation.auth in _PERMISSIONS:
        _PERMISSIONS[operation.auth](principal)
    return principal


async def _recognise(services: ApiServices, authorization: bytes | None) -> Principal | None:
    """The caller of a public operation, when it happens to be known: a bad key is no reason to refuse what needs none."""
    if authorization is None:
        return None
    try:
        return await services.authenticator.authenticate(authorization)
    except (ApiError, StorageUnavailable):
        return None


async def _refuse_planned(call: Call) -> Reply:
    message = f"{call.operation.method} {call.operation.path} ({call.operation.summary}) is not implemented by this server yet."
    raise ApiError("unmapped", message, status=501)


def _litestar_path(path: str) -> str:
    return _PARAMETER.sub(r"{\1:str}", path)


def _parse_query(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise ApiError("invalid_request", f"The query string has more than {_MAX_FIELDS} fields.") from None


def _header(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> bytes | None:
    return next((value for name, value in headers if name == wanted), None)
