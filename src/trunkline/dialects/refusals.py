"""Errors of upstreams, read and classed (adapters 1.6, 4.1, 4.2): the code or type decides, then fixed phrases of the message, then the
status.

`UpstreamRefused.kind` is one of `KINDS`; what follows from it is `inference.verdicts`. Messages may echo prompts, so a phrase counts only
under the statuses it is listed for, and bare words like "limit" or "429" never do.
"""

import email.utils
import re
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from trunkline.dialects import loose
from trunkline.errors import UpstreamRefused

KINDS = frozenset(
    (
        *("overloaded", "server", "rate_limit", "quota", "credential", "model_access", "region", "malformed"),
        *("context_length", "max_output", "unsupported_param", "stale_reasoning", "moderation", "flagged", "caller_fault"),
    )
)

MESSAGE_LIMIT = 2048
Headers = Mapping[str, str] | Iterable[tuple[bytes, bytes]]
_PLAIN_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
_MIN_WAIT, _MAX_WAIT = 1.0, 300.0

_WORDS: Mapping[str, str] = {
    "context_length_exceeded": "context_length",
    "exceed_context_size_error": "context_length",
    "model_context_window_exceeded": "context_length",
    "string_too_long": "context_length",
    "max_tokens_exceeded": "max_output",
    "insufficient_quota": "quota",
    "insufficient_balance": "quota",
    "insufficient_credits": "quota",
    "billing_error": "quota",
    "billing_hard_limit_reached": "quota",
    "payment_required": "quota",
    "rate_limit_exceeded": "rate_limit",
    "rate_limit_error": "rate_limit",
    "rate_limited": "rate_limit",
    "too_many_requests": "rate_limit",
    "resource_exhausted": "rate_limit",
    "throttlingexception": "rate_limit",
    "throttling": "rate_limit",
    "invalid_api_key": "credential",
    "authentication_error": "credential",
    "authentication": "credential",
    "unauthenticated": "credential",
    "unauthorized": "credential",
    "account_deactivated": "credential",
    "expiredtokenexception": "credential",
    "invalidsignatureexception": "credential",
    "unrecognizedclientexception": "credential",
    "missingauthenticationtokenexception": "credential",
    "incompletesignatureexception": "credential",
    "model_not_found": "model_access",
    "model_not_found_error": "model_access",
    "model_decommissioned": "model_access",
    "model_not_active": "model_access",
    "deploymentnotfound": "model_access",
    "deployment_not_found": "model_access",
    "accessdeniedexception": "model_access",
    "resourcenotfoundexception": "model_access",
    "unsupported_country_region_territory": "region",
    "overloaded_error": "overloaded",
    "overloaded": "overloaded",
    "unavailable": "overloaded",
    "unavailable_error": "overloaded",
    "serviceunavailable": "overloaded",
    "service_unavailable": "overloaded",
    "serviceunavailableexception": "overloaded",
    "modelnotreadyexception": "overloaded",
    "capacity_exceeded": "overloaded",
    "engine_overloaded": "overloaded",
    "content_filter": "moderation",
    "content_policy_violation": "moderation",
    "moderation_blocked": "moderation",
    "responsibleaipolicyviolation": "moderation",
    "data_inspection_failed": "moderation",
    "invalid_prompt": "moderation",
    "image_content_policy_violation": "moderation",
    "bio_policy": "moderation",
    "cyber_policy": "moderation",
    "invalid_image": "caller_fault",
    "invalid_image_format": "caller_fault",
    "invalid_base64_image": "caller_fault",
    "invalid_image_url": "caller_fault",
    "image_too_large": "caller_fault",
    "image_too_small": "caller_fault",
    "image_parse_error": "caller_fault",
    "image_file_too_large": "caller_fault",
    "unsupported_image_media_type": "caller_fault",
    "empty_image_file": "caller_fault",
    "failed_to_download_image": "caller_fault",
    "invalid_encrypted_content": "stale_reasoning",
    "unsupported_parameter": "unsupported_param",
    "unsupported_value": "unsupported_param",
    "unknown_parameter": "unsupported_param",
    "wrong_api_format": "unsupported_param",
    "not_supported_error": "unsupported_param",
    "extra_forbidden": "unsupported_param",
    "tool_use_failed": "malformed",
    "json_validate_failed": "malformed",
    "server_error": "server",
    "internal_error": "server",
    "internal_server_error": "server",
    "api_error": "server",
    "internalserverexception": "server",
    "modelstreamerrorexception": "server",
    "modelerrorexception": "server",
    "modeltimeoutexception": "server",
}
"""Codes and types in lower case. A `quota` word wins; else the first of code, type and status that is listed."""

_FAULT = frozenset((400, 403, 404, 413, 422))

_PHRASES: tuple[tuple[frozenset[int], str, re.Pattern[str]], ...] = tuple(
    (statuses, kind, re.compile(pattern, re.IGNORECASE))
    for statuses, kind, pattern in (
        (
            _FAULT | {402, 429},
            "quota",
            r"credit balance|spending (?:cap|limit)|exceeded your current quota|insufficient (?:balance|credits|funds|quota)",
        ),
        (
            _FAULT | {429, 500},
            "context_length",
            "|".join(
                (
                    r"maximum context length",
                    r"context limit",
                    r"prompt is too long",
                    r"input is too long",
                    r"longer than the model's context",
                    r"`inputs` tokens \+ `max_new_tokens`",
                    r"exceeds the available context size",
                    r"exceeds the maximum number of tokens allowed",
                    r"current length is .{1,40} while limit is",
                    r"maximum input length",
                    r"too many input tokens",
                    r"exceeds the context window",
                )
            ),
        ),
        (_FAULT, "rate_limit", r"tokens per minute|requests per minute|rate limit (?:reached|exceeded)"),
        (
            _FAULT,
            "credential",
            r"api key not valid|invalid api key|incorrect api key|make sure your api key is valid"
            r"|security token .{0,40}(?:invalid|expired)",
        ),
        (_FAULT, "region", r"location is not supported|country, region, or territory not supported"),
        (
            _FAULT | {410},
            "model_access",
            r"no endpoints found|has been decommissioned|model .{1,200} (?:does not exist|not found)|model identifier is invalid",
        ),
        (_FAULT, "max_output", r"max_(?:completion_|new_|output_)?tokens\b.{0,80}\b(?:exceed|too large|less than or equal|at most)"),
        (
            _FAULT,
            "stale_reasoning",
            r"invalid `?signature`?|thinking`? .{0,80}cannot be modified|encrypted content .{0,60}could not be (?:verified|decrypted)"
            r"|missing a thought_?signature",
        ),
        (
            _FAULT,
            "unsupported_param",
            r"extra inputs are not permitted|extraneous key \[|unsupported parameter|unrecognized request argument"
            r"|unknown (?:parameter|field|name \")",
        ),
        (_FAULT, "moderation", r"content management policy|flagged by (?:our )?moderation|safety system"),
    )
)
"""Rows in the order of testing: statuses under which a phrase counts, the kind, the pattern."""

_STATUSES: Mapping[int, str] = {
    401: "credential",
    402: "quota",
    403: "model_access",
    404: "model_access",
    410: "model_access",
    422: "unsupported_param",
    424: "server",
    429: "rate_limit",
    451: "region",
    498: "overloaded",
    503: "overloaded",
    529: "overloaded",
}

_SOFT_KINDS = frozenset(("server",))
"""Kinds so general that phrases and statuses are believed before the word."""

_FLAGGED = 403
"""The status under which a refusal by moderation says that the input was flagged (contract 2.12); under others a policy was violated."""
_MOST_REASONS = 32
_HTML_OVERRULED_BY = frozenset((401, 402, 407, 429, 503, 529))


class _Fact(Struct, frozen=True):
    """What an error document says: words (code, type, status; lower case), its own HTTP status if it names one, the message."""

    words: tuple[str, ...] = ()
    code: str | None = None
    status: int = 0
    message: str = ""
    flagged: bool = False
    delay: float | None = None
    reasons: tuple[str, ...] = ()
    flagged_input: str = ""


def classify(status: int, headers: Headers, body: bytes) -> UpstreamRefused:
    """An error response. `headers` with lower-case names; `body` is whatever came: nested, flat, an array, HTML, nothing."""
    pairs = _pairs(headers)
    try:
        document = loose.decode(body) if body.strip() else {}
    except ValueError:
        document = body.decode("utf-8", "replace")
    fact = _fact(document)
    named = pairs.get("x-amzn-errortype", "").partition(":")[0].lower()
    words = (named, *fact.words) if named else fact.words
    html = isinstance(document, str) and document.lstrip()[:1] == "<"
    seen = status if status >= 400 else fact.status
    kind = "server" if html and status not in _HTML_OVERRULED_BY else _kind(seen, words, fact)
    return UpstreamRefused(
        kind,
        f"HTTP {status} with an HTML page" if html else fact.message or f"HTTP {status} without a message",
        status=status,
        code=fact.code or named or None,
        retry_after=retry_after(pairs) or fact.delay,
        raw=body[:MESSAGE_LIMIT].decode("utf-8", "replace"),
        reasons=fact.reasons,
        flagged_input=fact.flagged_input,
    )


def refusal_of(document: Mapping[str, object]) -> UpstreamRefused | None:
    """The error inside a document that came with status 200 or in a stream; None when it carries none. Its own code stands for the
    status."""
    reply = document.get("base_resp")
    failed = isinstance(reply, dict) and bool(reply.get("status_code"))
    if not failed and not document.get("error") and document.get("object") != "error" and document.get("type") != "error":
        return None
    fact = _fact(document)
    return UpstreamRefused(
        _kind(fact.status, fact.words, fact),
        fact.message or "The upstream sent an error without a message",
        status=fact.status,
        code=fact.code,
        retry_after=fact.delay,
        raw=msgspec.json.encode(document)[:MESSAGE_LIMIT].decode("utf-8", "replace"),
        reasons=fact.reasons,
        flagged_input=fact.flagged_input,
    )


def retry_after(headers: Headers) -> float | None:
    """The seconds to wait that a response names, between 1 and 300; a date counts from the response's own `date`. None = no hint."""
    pairs = _pairs(headers)
    for name, per_second in (("retry-after-ms", 1000.0), ("x-ms-retry-after-ms", 1000.0), ("retry-after", 1.0)):
        seconds = _number(pairs.get(name, ""))
        if seconds is not None:
            return _clamp(seconds / per_second)
    at, now = _date(pairs.get("retry-after", "")), _date(pairs.get("date", ""))
    return None if at is None or now is None else _clamp((at - now).total_seconds())


def _kind(status: int, words: tuple[str, ...], fact: _Fact) -> str:
    kind = _class(status, words, fact)
    return "flagged" if kind == "moderation" and (fact.flagged or status == _FLAGGED) else kind


def _class(status: int, words: tuple[str, ...], fact: _Fact) -> str:
    kinds = [_WORDS[word] for word in words if word in _WORDS]
    if "quota" in kinds:
        return "quota"
    sharp = next((kind for kind in kinds[:1] if kind not in _SOFT_KINDS), None)
    if sharp is not None:
        return sharp
    if fact.flagged:
        return "moderation"
    for statuses, kind, pattern in _PHRASES:
        if (status in statuses or status == 0) and pattern.search(fact.message):
            return kind
    if status in _STATUSES:
        return _STATUSES[status]
    return "caller_fault" if 400 <= status < 500 and not kinds else "server"


def _fact(document: object) -> _Fact:
    if isinstance(document, list):
        return _fact(document[0]) if document else _Fact()
    if isinstance(document, str):
        return _Fact(message=document.strip()[:MESSAGE_LIMIT])
    if not isinstance(document, dict):
        return _Fact()
    inner = document.get("error") or document.get("base_resp") or document.get("errors") or document
    if isinstance(inner, list):
        inner = inner[0] if inner else document
    if not isinstance(inner, dict):
        inner = {**document, "message": inner}
    code = next((str(inner[key]) for key in ("code", "status_code", "type") if isinstance(inner.get(key), str | int)), None)
    more = inner.get("innererror")
    sources = (inner.get("code"), inner.get("type"), inner.get("status"), more.get("code") if isinstance(more, dict) else None)
    status = next((value for value in (inner.get("code"), inner.get("status_code"), inner.get("status")) if _is_status(value)), 0)
    meta = inner.get("metadata")
    return _Fact(
        words=tuple(word.lower() for word in sources if isinstance(word, str)),
        code=code,
        status=int(str(status)),
        message=_message(inner)[:MESSAGE_LIMIT],
        flagged=isinstance(meta, dict) and ("flagged_input" in meta or "reasons" in meta),
        delay=_delay(inner.get("details")),
        reasons=_reasons(meta, more),
        flagged_input=text if isinstance(meta, dict) and isinstance(text := meta.get("flagged_input"), str) else "",
    )


def _reasons(meta: object, more: object) -> tuple[str, ...]:
    """What a moderation names: a list of words, or, at Azure, the categories that were filtered."""
    named = meta.get("reasons") if isinstance(meta, dict) else None
    if isinstance(named, list):
        return tuple([reason for reason in named if isinstance(reason, str)][:_MOST_REASONS])
    found = more.get("content_filter_result") if isinstance(more, dict) else None
    results = found.items() if isinstance(found, dict) else ()
    return tuple([name for name, result in results if isinstance(result, dict) and result.get("filtered") is True][:_MOST_REASONS])


def _is_status(value: object) -> bool:
    return isinstance(value, int | str) and str(value).isdecimal() and 400 <= int(value) <= 599


def _message(inner: Mapping[str, object]) -> str:
    for key in ("message", "Message", "detail", "status_msg", "error", "title"):
        value = inner.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list) and value:
            texts = [
                f"{'.'.join(str(step) for step in item.get('loc') or ())}: {item.get('msg')}" for item in value if isinstance(item, dict)
            ]
            return "; ".join(texts) or str(value[0])
    return ""


def _delay(details: object) -> float | None:
    for item in details if isinstance(details, list) else ():
        delay = item.get("retryDelay") if isinstance(item, dict) else None
        if isinstance(delay, str) and (seconds := _number(delay.removesuffix("s"))) is not None:
            return _clamp(seconds)
    return None


def _pairs(headers: Headers) -> Mapping[str, str]:
    if isinstance(headers, Mapping):
        return headers
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def _number(text: str) -> float | None:
    return float(text) if _PLAIN_NUMBER.fullmatch(text.strip()) else None


def _clamp(seconds: float) -> float:
    return min(max(seconds, _MIN_WAIT), _MAX_WAIT)


def _date(text: str) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
