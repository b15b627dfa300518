"""Error bodies in the shapes that vendors really send, by the name of the shape, and the replies that carry them."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

import msgspec

from trunkline.mock.reply import Refusal, Reply, json_reply

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

_AWS_EXCEPTION = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}


def _kind(refusal: Refusal) -> str:
    return _TYPE_OF_STATUS.get(refusal.status, "api_error")


def _openai(refusal: Refusal) -> object:
    return {"error": {"message": refusal.message, "type": _kind(refusal), "param": refusal.param or None, "code": refusal.code or None}}


def _anthropic(refusal: Refusal) -> object:
    return {"type": "error", "error": {"type": refusal.code or _kind(refusal), "message": refusal.message}, "request_id": "req_mock"}


def _google(refusal: Refusal) -> object:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}] if refusal.status == 429 else []
    status = refusal.code or _RPC_STATUS.get(refusal.status, "INTERNAL")
    return {"error": {"code": refusal.status, "message": refusal.message, "status": status, "details": details}}


def _mistral(refusal: Refusal) -> object:
    """One vendor's list of what is wrong with a body, as its framework makes it, inside its own envelope."""
    wrong = {"type": refusal.code or "value_error", "loc": ["body", refusal.param], "msg": refusal.message, "input": None}
    message: object = {"detail": [wrong]} if refusal.param else refusal.message
    return {"object": "error", "message": message, "type": _kind(refusal), "param": None, "code": None}


def exception_of(refusal: Refusal) -> str:
    """The name of the AWS exception: the code, else what goes with the status."""
    return refusal.code or _AWS_EXCEPTION.get(refusal.status, "InternalServerException")


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
    "cohere": lambda refusal: {"id": "req_mock", "message": refusal.message},
    "mistral": _mistral,
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


def reply(refusal: Refusal, shape: str = "openai", *, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """A refusal with the headers its vendor names the error in."""
    named = (("x-amzn-errortype", exception_of(refusal)),) if shape == "aws" else ()
    return json_reply(body(refusal, shape), status=refusal.status, headers=(*named, *headers))


def refuse(status: int, message: str, *, code: str = "") -> Reply:
    """A plain error reply of the mock itself."""
    return reply(Refusal(status=status, code=code, message=message))
