"""Error bodies in the shapes that vendors really send, by the name of the shape, and the replies that carry them."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

import msgspec
from msgspec import Struct

from trunkline.mock.reply import Reply, json_reply


class Refusal(Struct, frozen=True, kw_only=True):
    """What an error says, before it has a shape."""

    status: int
    code: str
    message: str


_TYPE_OF_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}

_RPC_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


def _kind(refusal: Refusal) -> str:
    return _TYPE_OF_STATUS.get(refusal.status, "api_error")


def _openai(refusal: Refusal) -> object:
    return {"error": {"message": refusal.message, "type": _kind(refusal), "param": None, "code": refusal.code or None}}


def _anthropic(refusal: Refusal) -> object:
    return {"type": "error", "error": {"type": refusal.code or _kind(refusal), "message": refusal.message}, "request_id": "req_mock"}


def _google(refusal: Refusal) -> object:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}] if refusal.status == 429 else []
    status = refusal.code or _RPC_STATUS.get(refusal.status, "INTERNAL")
    return {"error": {"code": refusal.status, "message": refusal.message, "status": status, "details": details}}


SHAPES: Mapping[str, Callable[[Refusal], object]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "google": _google,
    "google_list": lambda refusal: [_google(refusal)],
    "vllm": lambda refusal: {
        "object": "error",
        "message": refusal.message,
        "type": refusal.code or "BadRequestError",
        "param": None,
        "code": refusal.status,
    },
    "fastapi": lambda refusal: {"detail": refusal.message},
    "aws": lambda refusal: {"message": refusal.message},
    "flat": lambda refusal: {"message": refusal.message},
    "text": lambda refusal: {"error": refusal.message},
    "base_resp": lambda refusal: {"base_resp": {"status_code": refusal.status, "status_msg": refusal.message}},
}
"""JSON bodies by name. `base_resp` is how one vendor reports an error inside HTTP 200."""

HTML = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center>"
    b"<hr><center>nginx</center></body>\r\n</html>\r\n"
)


def phrase(status: int) -> str:
    """The reason phrase of a status, `Unknown` for those no RFC names."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def body(refusal: Refusal, shape: str) -> bytes:
    """The error as JSON in the named shape (the plain one for a name that is none)."""
    return msgspec.json.encode(SHAPES.get(shape, _openai)(refusal))


def refuse(status: int, message: str, *, code: str = "") -> Reply:
    """A plain error reply of the mock itself."""
    return json_reply(body(Refusal(status=status, code=code, message=message), "openai"), status=status)
