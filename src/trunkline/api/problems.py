"""Errors on the wire: whatever went wrong becomes the contract's envelope (2.12), once, here.

An error that nobody foresaw is masked: the caller gets a reference in the header `X-Error-Id`, the log has the story under it.
"""

import logging
import secrets
from typing import Any

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from trunkline.api import bodies, cors, routes
from trunkline.dialects.chat.envelope import render
from trunkline.errors import ApiError, StorageUnavailable

_log = logging.getLogger(__name__)

_RETRY_SECONDS = "5"
_LONGEST_ECHO = 200
_TOO_LARGE = f"The request body is larger than {bodies.MAX_BYTES // 1024} KB."
_TYPES = {400: "invalid_request", 401: "authentication", 403: "permission_denied", 404: "not_found", 413: "payload_too_large"}


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The Litestar exception handler of everything under `/api` (register it for `Exception` and for `HTTPException`)."""
    method, path = request.scope["method"], request.scope["path"]
    problem = _refuse_method(method, path) if _is_routing_error(error) else _translate(error)
    headers = dict(problem.headers) | {name.decode(): value.decode() for name, value in cors.response_headers(path)}
    return Response(render(problem), status_code=problem.status, headers=headers, media_type=MediaType.JSON)


def _is_routing_error(error: Exception) -> bool:
    return isinstance(error, HTTPException) and error.status_code in (404, 405)


def _refuse_method(method: str, path: str) -> ApiError:
    """405 where the path has other methods, 404 where it has none."""
    allowed = routes.allowed(path)
    if not allowed or method in routes.match(path):
        return ApiError("not_found", f"{method} {path[:_LONGEST_ECHO]} is not an operation of this API.")
    return ApiError(
        "invalid_request", f"{path[:_LONGEST_ECHO]} does not take {method}, only {allowed}.", status=405, headers=[("Allow", allowed)]
    )


def _translate(error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, StorageUnavailable):
        message = "The database does not answer at the moment; try again."
        return ApiError("provider_overloaded", message, headers=[("Retry-After", _RETRY_SECONDS)])
    if isinstance(error, HTTPException) and error.status_code < 500:
        message = _TOO_LARGE if error.status_code == 413 else error.detail
        return ApiError(_TYPES.get(error.status_code, "invalid_request"), message, status=error.status_code)
    reference = secrets.token_hex(6)
    _log.error("unexpected error %s", reference, exc_info=error)
    return ApiError("server", "Internal Server Error", headers=[("X-Error-Id", reference)])
