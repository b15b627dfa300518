from sqlalchemy import BigInteger

from trunkline.storage.schema.control import key_spend_day, leases, ledger


def test_money_has_64_bits_everywhere() -> None:
    money = (ledger.c.amount, key_spend_day.c.amount, key_spend_day.c.byok_amount, leases.c.remaining)
    assert all(isinstance(column.type, BigInteger) for column in money)


def test_a_generation_can_be_charged_once() -> None:
    assert [column.name for column in ledger.primary_key] == ["id"]
