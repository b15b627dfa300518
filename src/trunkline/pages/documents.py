"""The reference pages and the texts for machines: errors, operations, robots.txt, llms.txt."""

from collections.abc import Sequence
from itertools import groupby

from msgspec import Struct

from trunkline.catalogue.catalogue import Catalogue
from trunkline.errors import STATUS_OF_TYPE
from trunkline.pages.services import Operation


class AvailabilityCode(Struct, frozen=True):
    """One value of `error.availability.code`: when it comes, and what to do. `retry` says whether the same request can work later."""

    code: str
    status: int
    retry: bool
    meaning: str
    remedy: str


AVAILABILITY_CODES = (
    AvailabilityCode(
        "model_not_found",
        400,
        False,
        "No model of this server has the slug that you sent.",
        "Compare the slug with the list of models. A new model may need its record in `trunkline.toml`.",
    ),
    AvailabilityCode(
        "wrong_endpoint",
        400,
        False,
        "The model exists, but another operation serves it: an embedding model asked for a chat, say.",
        "`error.availability.constraint` names the operation to call.",
    ),
    AvailabilityCode(
        "no_endpoints",
        404,
        False,
        "The model is known, but nothing here can serve it: no provider of it has its key.",
        "The message names the environment variable. Set it for the server and start it again.",
    ),
    AvailabilityCode(
        "model_deprecated",
        404,
        False,
        "The model has been retired.",
        "Move to a successor; `error.availability.fallback_models` names one where it is known.",
    ),
    AvailabilityCode(
        "model_unavailable_upstream",
        404,
        False,
        "Every provider that was asked says that it does not have the model.",
        "Check with the provider whether your account may use the model; choose another provider or model.",
    ),
    AvailabilityCode(
        "capacity_exhausted",
        429,
        True,
        "Every provider that was asked refused for too many requests.",
        "Wait for the seconds of `Retry-After`, or send fewer requests at once. More providers for the model help too.",
    ),
    AvailabilityCode(
        "temporarily_unavailable",
        503,
        True,
        "Every provider that was asked failed or took too long.",
        "Send the request again a little later; name fallbacks in `models` so that another model steps in.",
    ),
    AvailabilityCode(
        "region_restricted",
        403,
        False,
        "The provider does not serve the place from which the request came.",
        "Choose a provider that does, with `provider.order` or `provider.only`.",
    ),
    AvailabilityCode(
        "privacy_restricted",
        404,
        False,
        "Providers exist, but none of them keeps to the data policy that the request demands.",
        "`error.availability.excluded_by` says which demand it was: loosen `data_collection` or `zdr`, or choose another model.",
    ),
    AvailabilityCode(
        "constraint_filtered",
        404,
        False,
        "Providers exist, but the request's other demands leave none: price, quantization, context, parameters, allowed providers.",
        "The message lists each endpoint with the demand that ruled it out.",
    ),
    AvailabilityCode(
        "free_variant_ended",
        404,
        False,
        "The model's free variant is no longer offered.",
        "Call the paid slug, which `error.availability.fallback_models` names.",
    ),
)
"""The contract's table in section 2.12; `error.availability.docs_url` points at these."""


class ErrorTypes(Struct, frozen=True):
    """The values of `error.metadata.error_type` that one HTTP status has."""

    status: int
    names: tuple[str, ...]


class OperationGroup(Struct, frozen=True):
    """The operations of one tag."""

    tag: str
    anchor: str
    operations: tuple[Operation, ...]
    live: int


def error_types() -> tuple[ErrorTypes, ...]:
    """All error types by status, lowest first."""
    pairs = sorted(((status, name) for name, status in STATUS_OF_TYPE.items()), key=lambda pair: pair[0])
    return tuple(ErrorTypes(status, tuple(name for _, name in group)) for status, group in groupby(pairs, key=lambda pair: pair[0]))


def operation_groups(operations: Sequence[Operation]) -> tuple[OperationGroup, ...]:
    """The operations by tag: first the tags with something live, each in the table's order."""
    tags = dict.fromkeys(operation.tag for operation in operations)
    groups = [_group(tag, [operation for operation in operations if operation.tag == tag]) for tag in tags]
    return tuple(sorted(groups, key=lambda group: (not group.live, group.tag.lower())))


def robots() -> str:
    """What crawlers may read: the pages, not the API."""
    return "User-agent: *\nDisallow: /api/\n"


def llms(catalogue: Catalogue, origin: str) -> str:
    """A short account of this server for language models (llmstxt.org)."""
    callable_ids = [id for id in catalogue.models if catalogue.available(id)]
    listed = "".join(f"- [{catalogue.models[id].name}]({origin}/{id}): `{id}`\n" for id in callable_ids)
    return (
        f"""\
# Trunkline

> A self-hosted gateway to language models with OpenRouter's API. One key, one endpoint, every model that its operator has opened.

Send OpenAI-style chat requests to `POST {origin}/api/v1/chat/completions` with the header `Authorization: Bearer <key>`.
A streamed answer is server-sent events that end with `data: [DONE]`.

## Reference

- [Operations]({origin}/docs/operations): every path of the API, and which of them are live
- [Errors]({origin}/docs/errors): what each error means and what to do about it
- [Models as JSON]({origin}/api/v1/models): ids, prices, limits and supported parameters

## Models that can be called now

{listed or "None yet: the operator has set no provider's key."}
""".rstrip()
        + "\n"
    )


def _group(tag: str, operations: Sequence[Operation]) -> OperationGroup:
    ordered = sorted(operations, key=lambda operation: operation.state)
    return OperationGroup(tag, tag.lower().replace(" ", "-"), tuple(ordered), sum(operation.state == "live" for operation in operations))
