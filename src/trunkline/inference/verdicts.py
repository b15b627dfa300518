"""What follows from a failed attempt: one row for each class of failure (docs/architecture.md, "Errors").

`advances`: the next endpoint is tried. `counts`: the failure speaks against the endpoint. `again`: the same endpoint is tried once more
when there is no other. `error_type`: what the caller is told when nothing else helped (contract 2.12).
"""

from msgspec import Struct

from trunkline.errors import UpstreamError


class Verdict(Struct, frozen=True, gc=False):
    """One row of the table."""

    error_type: str
    advances: bool = True
    counts: bool = False
    again: bool = False


VERDICTS: dict[str, Verdict] = {
    "connect": Verdict("provider_unavailable", counts=True, again=True),
    "certificate": Verdict("provider_unavailable", counts=True),
    "timeout": Verdict("timeout", counts=True),
    "overloaded": Verdict("provider_overloaded", counts=True, again=True),
    "server": Verdict("provider_unavailable", counts=True, again=True),
    "rate_limit": Verdict("rate_limit_exceeded"),
    "quota": Verdict("provider_unavailable", counts=True),
    "credential": Verdict("provider_unavailable", counts=True),
    "model_access": Verdict("not_found", counts=True),
    "region": Verdict("permission_denied"),
    "context_length": Verdict("context_length_exceeded"),
    "max_output": Verdict("max_tokens_exceeded"),
    "unsupported_param": Verdict("invalid_request"),
    "stale_reasoning": Verdict("invalid_request"),
    "moderation": Verdict("content_policy_violation"),
    "flagged": Verdict("permission_denied"),
    "caller_fault": Verdict("invalid_request"),
    "empty": Verdict("provider_unavailable", counts=True),
    "malformed": Verdict("provider_unavailable", counts=True),
    "stream_cut": Verdict("provider_unavailable", counts=True),
    "egress": Verdict("provider_unavailable", counts=True),
}


PASSING: frozenset[str] = frozenset(("provider_unavailable", "provider_overloaded", "timeout", "rate_limit_exceeded"))
"""What callers are told of failures that say nothing of the request: it may go well at another time, or elsewhere."""


OWN_KEY: dict[str, Verdict] = {
    "quota": Verdict("payment_required"),
    "credential": Verdict("authentication"),
    "model_access": Verdict("not_found"),
}
"""The rows that are others where the credential is the caller's own: the fault is the key's, and its owner can mend it."""


def verdict(error: UpstreamError, *, own_key: bool = False) -> Verdict:
    """The row of a failure. `own_key`: the credential is the caller's own."""
    if own_key and error.kind in OWN_KEY:
        return OWN_KEY[error.kind]
    return VERDICTS[error.kind]
