from trunkline.protocol.generation import GenerationRecord
from trunkline.storage.schema.telemetry import app_day, generations, key_day, model_day


def test_generations_has_columns_for_fields_and_one_for_the_others() -> None:
    *columns, details = generations.columns.keys()
    assert set(columns) < set(GenerationRecord.__struct_fields__)
    assert details == "details"


def test_every_roll_up_has_the_same_sums_and_a_day() -> None:
    sums = [column.name for column in model_day.columns if not column.primary_key]
    for table in (key_day, app_day):
        assert [column.name for column in table.columns if column.name in sums] == sums
        assert table.c.day.primary_key
