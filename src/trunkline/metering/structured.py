"""How well a model keeps the form that it was asked for: JSON, or JSON of a schema (contract 2.1 `response_format`, in Responses
`text.format`, in Messages `output_config.format`).

Only complete answers in words are judged; `inference.records` sees to that. As with tool calls, judging can take milliseconds and never
runs on an event loop.
"""

from collections.abc import Callable
from typing import Any, Final

import jsonschema_rs
import msgspec
from jsonschema_rs import RegexOptions
from msgspec import Raw, Struct

from trunkline.metering.schemas import Schemas, Validator

MAX_CHARACTERS: Final = 1024 * 1024
"""A longer answer is not judged."""
_NOTHING: Final = Raw(b"")


class FormEvidence(Struct, frozen=True):
    """What is needed to judge an answer.

    `form_json`: the field that asked for the form, as the caller sent it. `text` gives what the upstream answered, None where that is not
    known, and may take its time; `size` is about how many bytes it holds until then.
    """

    form_json: bytes
    text: Callable[[], str | None]
    size: int


class _Named(Struct):
    """Where chat has its schema."""

    schema: Raw = _NOTHING


class _Form(Struct):
    type: str = ""
    schema: Raw = _NOTHING
    json_schema: _Named | None = None


class _Field(_Form):
    """The field of any inbound dialect: chat's is the form itself, the others' holds it."""

    format: _Form | None = None


class FormJudge:
    """Judges answers; compiled schemas are kept for the `capacity` used last. For one thread at a time."""

    def __init__(self, capacity: int = 256) -> None:
        self._schemas = Schemas(_compile, capacity)
        self._field = msgspec.json.Decoder(_Field)

    def is_invalid(self, evidence: FormEvidence) -> bool | None:
        """Whether the answer is no JSON, or breaks its schema; None where there is no form to judge by, or no text to judge.

        For `json_object` an object is wanted. An unusable schema makes any JSON valid.
        """
        try:
            field = self._field.decode(evidence.form_json)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        form = field.format or field
        check = _CHECKS.get(form.type)
        text = evidence.text() if check is not None else None
        if check is None or text is None or len(text) > MAX_CHARACTERS:
            return None
        try:
            value: Any = msgspec.json.decode(text.encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            return True
        return not check(value, self._validator(form))

    def _validator(self, form: _Form) -> Validator | None:
        return self._schemas.validator(bytes(form.schema if form.json_schema is None else form.json_schema.schema))


def _is_object(value: Any, _validator: Validator | None) -> bool:
    return isinstance(value, dict)


def _keeps_schema(value: Any, validator: Validator | None) -> bool:
    return validator is None or validator.is_valid(value)


_CHECKS: Final[dict[str, Callable[[Any, Validator | None], bool]]] = {"json_object": _is_object, "json_schema": _keeps_schema}
"""What each type of form asks of the JSON; other types, such as `text` and `grammar`, are not judged."""


def _compile(schema: Any) -> Validator:
    """By the draft that the schema names, else 2020-12."""
    return jsonschema_rs.validator_for(schema, offline=True, pattern_options=RegexOptions())
