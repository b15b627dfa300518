"""A `GenerationRecord` as a row of the table `generations`, and back.

What lists select by has a column, named as the field. All else is in the column `details`, so that a row costs few bindings and
bytes: the values of DETAILS in msgpack, without their names. That makes the order of DETAILS a stored format. A few of them are in a
column of their own as well, so that a list can be narrowed by them; nothing reads a record from those.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec

from trunkline.protocol.generation import GenerationRecord

FIELDS: Final = (
    "id",
    "key_hash",
    "workspace_id",
    "model",
    "endpoint_id",
    "status",
    "cost",
    "input_tokens",
    "output_tokens",
    "session_id",
)
"""The fields with a column of their own; each costs every generation about as much as forty bytes of details."""
DETAILS: Final = (
    "created_ms",
    "provider_name",
    "api_type",
    "attempts",
    "upstream_id",
    "price_version",
    "streamed",
    "cancelled",
    "error_type",
    "finish_reason",
    "native_finish_reason",
    "latency_ms",
    "generation_ms",
    "usage_source",
    "is_byok",
    "tool_calls",
    "tool_calls_invalid",
    "reasoning_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "cache_discount",
    "image_tokens",
    "upstream_cost",
    "app_referer",
    "app_title",
    "app_categories",
    "user_agent",
    "origin",
    "external_user",
    "request_id",
    "num_media_prompt",
    "num_media_completion",
    "num_input_audio_prompt",
    "num_search_results",
    "num_fetches",
    "preset_id",
    "router",
    "service_tier",
    "response_cache_source_id",
    "structured_invalid",
    "task",
    "hedge_of",
    "data_region",
)
"""The other fields in stored order: a new field goes to the end, none ever leaves its place."""
COLUMNS: Final = (*FIELDS, "details")
"""What a record is read from."""
_NARROWING: Final = ("provider_name", "error_type", "finish_reason")
WRITTEN: Final = (*COLUMNS, *_NARROWING, "app")
"""What a record is written to. `app` is what the roll-up by app knows an app by: its URL, else its name, NULL for neither. NULL in all four
is also a row of a release before revision 0002, which lists by these columns do not find."""
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_fields: Final = attrgetter(*FIELDS)
_details: Final = attrgetter(*DETAILS)
_narrowing: Final = attrgetter(*_NARROWING)


def to_rows(records: Sequence[GenerationRecord]) -> list[tuple[object, ...]]:
    """The values of each record in the order of WRITTEN. Raises OverflowError or UnicodeEncodeError for what msgpack cannot hold."""
    return [
        (*_fields(record), _ENCODE(_details(record)), *_narrowing(record), record.app_referer or record.app_title or None)
        for record in records
    ]


def from_row(row: Sequence[Any]) -> GenerationRecord:
    """The record of a row read in the order of COLUMNS; fields that its release did not know have their defaults."""
    *fields, details = row
    values = dict(zip(FIELDS, fields, strict=True)) | dict(zip(DETAILS, msgspec.msgpack.decode(details), strict=False))
    return msgspec.convert(values, GenerationRecord)
