"""How well a model calls tools: the calls of one reply, judged against the tools that the caller offered (contract 2.8).

A call is bad when its arguments are no JSON (`InvalidJson`), when no such tool was offered (`UnknownName`), or when the arguments break
the tool's JSON Schema, draft 7 (`SchemaMismatch`). A missing or unusable schema (`schemas`) makes every call valid. Judging can take
milliseconds: it never runs on an event loop.
"""

from typing import Any, Final, Literal

import msgspec
from jsonschema_rs import Draft7Validator, RegexOptions
from msgspec import Struct

from trunkline.metering.schemas import Schemas, Validator

MAX_ARGUMENT_BYTES: Final = 1024 * 1024

Verdict = Literal["Valid", "InvalidJson", "UnknownName", "SchemaMismatch"]


class ToolEvidence(Struct, frozen=True):
    """What is needed to judge a reply: the raw JSON array of tools as the caller sent it, and (name, arguments) of each call."""

    tools_json: bytes
    calls: tuple[tuple[str, str], ...]

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        return len(self.tools_json)


class _Function(Struct):
    name: str
    parameters: msgspec.Raw = msgspec.Raw(b"")


class _Tool(Struct):
    """A tool of any inbound dialect: chat nests the function, Responses names it flat, Messages calls its schema `input_schema`."""

    function: _Function | None = None
    name: str = ""
    parameters: msgspec.Raw = msgspec.Raw(b"")
    input_schema: msgspec.Raw = msgspec.Raw(b"")


class ToolJudge:
    """Judges tool calls; compiled schemas are kept for the `capacity` used last. For one thread at a time."""

    def __init__(self, capacity: int = 256) -> None:
        self._validators = Schemas(_compile, capacity)
        self._tools = msgspec.json.Decoder(list[msgspec.Raw])
        self._tool = msgspec.json.Decoder(_Tool)

    def count_invalid(self, evidence: ToolEvidence) -> int:
        """How many of the calls are bad."""
        return sum(verdict != "Valid" for verdict in self.verdicts(evidence))

    def verdicts(self, evidence: ToolEvidence) -> list[Verdict]:
        """The verdict on each call, in order."""
        schemas = self._schemas(evidence.tools_json)
        return [self._verdict(name, arguments, schemas) for name, arguments in evidence.calls]

    def _schemas(self, tools_json: bytes) -> dict[str, bytes]:
        """The schema of each function that was offered, as JSON text; tools that are no functions have no name to call."""
        schemas: dict[str, bytes] = {}
        try:
            tools = self._tools.decode(tools_json)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return schemas
        for raw in tools:
            try:
                tool = self._tool.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            if tool.function is not None:
                schemas[tool.function.name] = bytes(tool.function.parameters)
            elif tool.name:
                schemas[tool.name] = bytes(tool.parameters or tool.input_schema)
        return schemas

    def _verdict(self, name: str, arguments: str, schemas: dict[str, bytes]) -> Verdict:
        if name not in schemas:
            return "UnknownName"
        if len(arguments) > MAX_ARGUMENT_BYTES:
            return "Valid"
        try:
            value: Any = msgspec.json.decode(arguments.encode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            return "InvalidJson"
        validator = self._validators.validator(schemas[name])
        return "Valid" if validator is None or validator.is_valid(value) else "SchemaMismatch"


def _compile(schema: Any) -> Validator:
    """A validator that reads nothing outside of `schema`."""
    return Draft7Validator(schema, offline=True, pattern_options=RegexOptions())
