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
    "caller_fault": Verdict("invalid_request"),
    "empty": Verdict("provider_unavailable", counts=True),
    "malformed": Verdict("provider_unavailable", counts=True),
    "stream_cut": Verdict("provider_unavailable", counts=True),
    "egress": Verdict("provider_unavailable", counts=True),
}


def verdict(error: UpstreamError) -> Verdict:
    """The row of a failure."""
    return VERDICTS[error.kind]
