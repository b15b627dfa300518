"""Callers' schemas, compiled once and bounded."""

from typing import Any

import pytest
from jsonschema_rs import Draft7Validator

from trunkline.metering.schemas import MAX_BYTES, Schemas


class Compiler:
    """Compiles, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, schema: Any) -> Draft7Validator:
        self.count += 1
        return Draft7Validator(schema)


def test_a_schema_is_compiled_once_until_it_is_forgotten() -> None:
    compiler = Compiler()
    schemas = Schemas(compiler, capacity=2)
    one, two, three = (b'{"maxProperties": %d}' % number for number in (1, 2, 3))
    for schema in (one, two, one, three, one, three):
        assert schemas.validator(schema) is not None
    assert compiler.count == 3
    schemas.validator(two)  # used longest ago, so that it made room
    assert compiler.count == 4


def test_a_validator_is_that_of_its_schema() -> None:
    schemas = Schemas(Draft7Validator)
    verdicts = []
    for schema in (b'{"type": "string"}', b'{"type": "integer"}', b'{"type": "string"}'):
        validator = schemas.validator(schema)
        assert validator is not None
        verdicts.append(validator.is_valid("a"))
    assert verdicts == [True, False, True]


@pytest.mark.parametrize(
    "schema", [b"", b"{", b'{"type": "nonsense"}', b"[1]", b"\xff", b"[" * 5000, b'{"title": "%b"}' % (b"x" * MAX_BYTES)]
)
def test_what_is_no_schema_has_no_validator_and_is_not_tried_again(schema: bytes) -> None:
    compiler = Compiler()
    schemas = Schemas(compiler)
    assert schemas.validator(schema) is None
    tried = compiler.count
    assert schemas.validator(schema) is None
    assert compiler.count == tried <= 1
