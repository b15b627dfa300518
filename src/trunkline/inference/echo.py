"""What debugging callers see of the bodies that were sent upstream (contract 2.6), without the secrets in them."""

import re
from typing import Any, Final

import msgspec
from msgspec import Struct

from trunkline.protocol.request import InboundRequest

HIDDEN: Final = "[redacted]"
MAX_DEPTH: Final = 200

_SECRET_KEYS: Final = re.compile(
    r"(?:^|[-_.])(?:authorization|api[-_]?key|apikey|(?:access|auth|bearer|refresh|session|security)[-_]?token|token|secret|password|passwd"
    r"|credentials?|cookie|private[-_]?key|signature[-_]?key)$",
    re.IGNORECASE,
)
"""Names under which secrets stand: those of tool servers, say, which callers put into `tools`."""
_SECRET_TEXTS: Final = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|hf|ghp|gho|glpat|xox[bpars])[-_][A-Za-z0-9_-]{16,}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{30,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*|(?i:\bbearer )[\w.~+/=-]{8,}"
    r"|(?<=[?&])(?i:X-Amz-Signature|X-Amz-Credential|X-Goog-Signature|sig|token|key|api_key|access_token)=[^&\s\"']+"
)
"""Secrets that are known by their form, also inside other text."""


class _Debug(Struct):
    echo_upstream_body: object = None


_DEBUG: Final = msgspec.json.Decoder(_Debug | None)
_encode = msgspec.json.Encoder().encode


def wanted(request: InboundRequest) -> bool:
    """Whether the caller wants to see upstream bodies; only streams can show them, and elsewhere the wish is ignored."""
    if not request.stream:
        return False
    try:
        debug = _DEBUG.decode(request.fields["debug"])
    except msgspec.MsgspecError:
        return False
    return debug is not None and debug.echo_upstream_body is True


def redacted(body: bytes) -> bytes:
    """A body as JSON with `[redacted]` in the place of what looks like a secret. This is a best effort: a secret in a message that looks
    like any other word stays."""
    try:
        return _encode(_clean(msgspec.json.decode(body), MAX_DEPTH))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _encode({"bytes": len(body)})


def _clean(value: Any, depth: int) -> Any:
    if depth == 0:
        return HIDDEN
    if isinstance(value, str):
        return _SECRET_TEXTS.sub(HIDDEN, value)
    if isinstance(value, list):
        return [_clean(one, depth - 1) for one in value]
    if isinstance(value, dict):
        return {key: HIDDEN if one and _is_secret(key, one) else _clean(one, depth - 1) for key, one in value.items()}
    return value


def _is_secret(key: str, value: Any) -> bool:
    """Whether a key names a secret. The schema of a tool may have a property of such a name, which is an object and no secret."""
    return isinstance(value, str) and _SECRET_KEYS.search(key) is not None
