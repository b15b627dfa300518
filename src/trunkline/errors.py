"""Every error that crosses a room, in one tree.

    TrunklineError
    ├── ConfigError                 a setting or a file is wrong: names where, what, and what to write instead
    ├── ApiError                    what a caller is told: status, error_type, message, metadata (contract 2.12)
    ├── StorageUnavailable          the database did not answer
    └── UpstreamError               one attempt failed; `kind` is the class of docs/architecture.md, "Errors"
        ├── ConnectFailed           no connection: DNS, refused, TLS, or reset before the response head
        │   └── CertificateRejected the upstream's certificate is not accepted
        ├── UpstreamTimeout         no head, no content, or silence for longer than allowed
        ├── ConnectionLost          the connection ended inside a response
        ├── MalformedResponse       not HTTP, not JSON, not the dialect, or 200 with nothing in it
        ├── ResponseTooLarge        more bytes than the limit
        ├── EgressDenied            the egress guard refused the address
        └── UpstreamRefused         the upstream answered with an error of its own

Errors are raised where they are known, and mapped to the wire once for each dialect. An ApiError never carries a secret.
"""

from collections.abc import Mapping, Sequence

STATUS_OF_TYPE: Mapping[str, int] = {
    "context_length_exceeded": 400,
    "max_tokens_exceeded": 400,
    "token_limit_exceeded": 400,
    "string_too_long": 400,
    "invalid_request": 400,
    "invalid_prompt": 400,
    "content_policy_violation": 400,
    "refusal": 400,
    "invalid_image": 400,
    "image_too_large": 400,
    "image_too_small": 400,
    "unsupported_image_format": 400,
    "image_download_failed": 400,
    "authentication": 401,
    "payment_required": 402,
    "permission_denied": 403,
    "not_found": 404,
    "image_not_found": 404,
    "precondition_failed": 412,
    "payload_too_large": 413,
    "unprocessable": 422,
    "rate_limit_exceeded": 429,
    "server": 500,
    "unmapped": 500,
    "provider_unavailable": 502,
    "provider_overloaded": 503,
    "timeout": 504,
}
"""The 27 values of `error.metadata.error_type` and the HTTP status of each (contract 2.12)."""


class TrunklineError(Exception):
    """The root of all errors of this project."""


class ConfigError(TrunklineError):
    """A setting is wrong. The text names the place (file and key, or variable), what is wrong, and what to write instead."""

    def __init__(self, where: str, problem: str, instead: str = "") -> None:
        super().__init__(f"{where}: {problem}" + (f". Write instead: {instead}" if instead else ""))
        self.where = where
        self.problem = problem
        self.instead = instead


class ApiError(TrunklineError):
    """An error a caller is told. `status` defaults to the one of `error_type`; `metadata` and `availability` are JSON objects of the
    contract.

    `details`: what SDKs for Messages decide by (`error.details`). `headers` are extra response headers (`Retry-After`). What the router
    knows is added on the way: `generation_id` once a request has reached it, and `router` (`openrouter_metadata`, as JSON) for callers who
    ask for it.
    """

    def __init__(
        self,
        error_type: str,
        message: str,
        *,
        status: int | None = None,
        metadata: Mapping[str, object] | None = None,
        availability: Mapping[str, object] | None = None,
        details: Mapping[str, object] | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.status = status if status is not None else STATUS_OF_TYPE[error_type]
        self.metadata = metadata
        self.availability = availability
        self.details = details
        self.headers = headers
        self.generation_id: str | None = None
        self.router: bytes | None = None


class StorageUnavailable(TrunklineError):
    """The database did not answer; the caller may try again."""


class UpstreamError(TrunklineError):
    """One attempt failed. `kind` picks the row of `inference.verdicts`; `status` is the upstream's HTTP status, 0 when none came. `told` is
    what callers read in place of a message that names addresses of the operator's network; "" = the message."""

    kind = "server"
    told = ""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class ConnectFailed(UpstreamError):
    """No connection was made, or it was reset before any response byte."""

    kind = "connect"
    told = "the connection failed"


class CertificateRejected(ConnectFailed):
    """The upstream shows a certificate that is not valid, not for its name, or of nobody who is trusted. The same will happen next time."""

    kind = "certificate"
    told = "its TLS certificate is not accepted"


class UpstreamTimeout(UpstreamError):
    """A deadline passed. `phase` is `connect`, `head`, `first_content`, `idle`, `content_idle` or `total`."""

    kind = "timeout"

    def __init__(self, phase: str, seconds: float) -> None:
        super().__init__(f"upstream timed out: {phase} took longer than {seconds:g} s")
        self.phase = phase
        self.seconds = seconds


class ConnectionLost(UpstreamError):
    """The connection ended inside a response."""

    kind = "stream_cut"


class MalformedResponse(UpstreamError):
    """The answer is not HTTP, not JSON, not the dialect, or empty."""

    kind = "malformed"


class ResponseTooLarge(UpstreamError):
    """The answer, one event of it, or its head is larger than the limit."""

    kind = "malformed"


class EgressDenied(UpstreamError):
    """The egress guard refused the address."""

    kind = "egress"
    told = "its address must not be called"


class UpstreamRefused(UpstreamError):
    """The upstream answered with an error. `code` is its own code, `retry_after` its hint in seconds, `raw` its body as sent (bounded).
    `reasons`: what its moderation found, and `flagged_input` in which words of the request."""

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        status: int,
        code: str | None = None,
        retry_after: float | None = None,
        raw: str = "",
        reasons: Sequence[str] = (),
        flagged_input: str = "",
    ) -> None:
        super().__init__(message, status=status)
        self.kind = kind
        self.code = code
        self.retry_after = retry_after
        self.raw = raw
        self.reasons = tuple(reasons)
        self.flagged_input = flagged_input
