from trunkline.analytics.slots import COUNTERS
from trunkline.protocol.generation import GenerationRecord
from trunkline.storage.schema.telemetry import (
    app_day,
    endpoint_day,
    endpoint_hour,
    endpoint_minute,
    generations,
    key_day,
    model_day,
    task_day,
)


def test_generations_has_columns_for_fields_and_one_for_the_others() -> None:
    columns = generations.columns.keys()
    assert columns.pop() == "app"
    assert set(columns) - set(GenerationRecord.__struct_fields__) == {"details"}


def test_what_lists_are_narrowed_by_may_be_unknown() -> None:
    after = list(generations.columns)[generations.columns.keys().index("details") + 1 :]
    assert after and all(column.nullable for column in after)


def test_every_roll_up_has_the_same_sums_and_a_day() -> None:
    sums = [column.name for column in model_day.columns if not column.primary_key]
    for table in (key_day, app_day, task_day):
        assert [column.name for column in table.columns if column.name in sums] == sums
        assert table.c.day.primary_key


def test_slots_of_endpoints_have_what_is_counted_of_them() -> None:
    for table in (endpoint_minute, endpoint_hour, endpoint_day):
        assert set(table.columns.keys()) == {"slot", "endpoint_id", "model", "provider_name", *COUNTERS, "distributions"}
