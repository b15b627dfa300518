from collections.abc import Callable

import msgspec

from trunkline.analytics.rows import COLUMNS, DETAILS, FIELDS, WRITTEN, from_row, to_rows
from trunkline.protocol.generation import AttemptRecord, GenerationRecord
from trunkline.storage.schema.telemetry import generations

Make = Callable[..., GenerationRecord]


def full_record(record: Make) -> GenerationRecord:
    return record(
        streamed=True,
        is_byok=True,
        session_id="null",
        app_categories=("cli", "agents"),
        attempts=(AttemptRecord("Acme", "e1", "m", 503, 12, "up-1", "provider_overloaded"), AttemptRecord("Zeta", "e2", "m", 200, 1)),
        cached_tokens=0,
        cache_discount=-5,
        service_tier="1",
        response_cache_source_id="gen-1",
        structured_invalid=True,
    )


def test_the_table_has_these_columns() -> None:
    assert [column.name for column in generations.columns] == list(WRITTEN)
    assert WRITTEN[: len(COLUMNS)] == COLUMNS


def test_each_field_has_one_place() -> None:
    assert sorted((*FIELDS, *DETAILS)) == sorted(GenerationRecord.__struct_fields__)


def test_the_stored_order_is_never_changed() -> None:
    """Rows of earlier releases are read by it: a further field is appended here too."""
    assert " ".join(DETAILS).startswith(
        "created_ms provider_name api_type attempts upstream_id price_version streamed cancelled error_type finish_reason"
        " native_finish_reason latency_ms generation_ms usage_source is_byok tool_calls tool_calls_invalid reasoning_tokens cached_tokens"
        " cache_write_tokens cache_discount image_tokens upstream_cost app_referer app_title app_categories user_agent origin external_user"
        " request_id num_media_prompt num_media_completion num_input_audio_prompt num_search_results num_fetches preset_id router"
        " service_tier response_cache_source_id structured_invalid task hedge_of"
    )


def test_a_record_comes_back_as_it_was(record: Make) -> None:
    records = [record(), full_record(record)]
    back = [from_row(row[: len(COLUMNS)]) for row in to_rows(records)]
    assert back == records
    assert type(back[1].streamed) is bool


def test_a_row_of_an_earlier_release_has_defaults_for_later_fields(record: Make) -> None:
    one = full_record(record)
    (*fields, details) = to_rows([one])[0][: len(COLUMNS)]
    known = DETAILS.index("response_cache_source_id")
    shorter = msgspec.msgpack.encode(msgspec.msgpack.decode(details)[:known])
    assert from_row((*fields, shorter)) == msgspec.structs.replace(one, response_cache_source_id=None, structured_invalid=None)


def test_what_lists_are_narrowed_by_stands_alone_too(record: Make) -> None:
    rows = to_rows(
        [
            record(finish_reason="stop", app_referer="https://a.example", app_title="A"),
            record(error_type="timeout", app_title="A"),
            record(app_referer="", app_title=""),
        ]
    )
    assert [row[len(COLUMNS) :] for row in rows] == [
        ("Acme", None, "stop", "https://a.example"),
        ("Acme", "timeout", None, "A"),
        ("Acme", None, None, None),
    ]


def test_values_are_of_sqlites_kinds(record: Make) -> None:
    (row,) = to_rows([full_record(record)])
    assert {type(value) for value in row} <= {bytes, int, str, type(None)}
