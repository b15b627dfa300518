"""JSON schemas as Anthropic takes them: of tools, whose root must be a plain object, and of structured answers, a smaller language.

A schema that fits keeps its bytes. Only places that hold schemas are looked at, so that a property may be named like a keyword.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Raw

Schema = dict[str, object]

_KEYS = msgspec.json.Decoder(dict[str, Raw])
_EMPTY = Raw(b'{"type":"object","properties":{}}')
_JOINED = ("anyOf", "oneOf", "allOf")
_NAMED = ("properties", "$defs", "definitions")
_DROPPED = frozenset(
    (
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems", "uniqueItems"),
        *("minProperties", "maxProperties", "contains", "minContains", "maxContains", "propertyNames", "unevaluatedProperties"),
    )
)
"""Constraints that structured answers do not know (Anthropic, "Structured outputs", JSON Schema limitations)."""
_FORMATS = frozenset(("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"))
_UNKNOWN = ("not", "if", "then", "else", "patternProperties", "prefixItems", "dependentSchemas")
_MOST_PARTS = 256
"""Alternatives of a root that are looked at: references may make exponentially many of few."""


class _Root:
    """A schema as the place that references point into, and how many parts of it may still be looked at."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.left = _MOST_PARTS

    def resolved(self, reference: object) -> Schema:
        """What a local reference points to; an empty schema when that is nothing."""
        place: object = self.schema
        if not isinstance(reference, str) or not reference.startswith("#"):
            return {}
        for step in reference[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            place = place.get(name) if isinstance(place, Mapping) else None
        return place if isinstance(place, dict) else {}


class _Inexpressible(Exception):
    """Never leaves this module: the schema cannot be said in the smaller language."""


def input_schema(parameters: Raw | None) -> Raw:
    """The schema of a tool's input: an object at its root, without references or alternatives there."""
    if parameters is None or bytes(parameters)[:1] != b"{":
        return _EMPTY
    keys = _KEYS.decode(parameters)
    if not keys:
        return _EMPTY
    if keys.get("type") == Raw(b'"object"') and not any(key in keys for key in (*_JOINED, "$ref")):
        return parameters
    schema = msgspec.json.decode(parameters, type=Schema)
    return Raw(msgspec.json.encode(_plain(schema, _Root(schema))))


def is_recursive(parameters: Raw) -> bool:
    """Whether a schema contains itself, which strict tools and structured answers do not allow."""
    schema = msgspec.json.decode(parameters)
    try:
        return isinstance(schema, dict) and _loops(schema, _Root(schema), {})
    except RecursionError:
        return True


def answer_schema(raw: Raw) -> Raw | None:
    """The schema of a structured answer; None when it cannot be expressed: recursion, objects with free keys, negations."""
    schema = msgspec.json.decode(raw)
    if not isinstance(schema, dict) or is_recursive(raw):
        return None
    try:
        narrowed = _narrow(schema)
    except (_Inexpressible, RecursionError):
        return None
    return raw if narrowed == schema else Raw(msgspec.json.encode(narrowed))


def is_object(raw: Raw) -> bool:
    """Whether a schema describes an object, as the input of a tool must."""
    schema = msgspec.json.decode(raw)
    return isinstance(schema, dict) and (schema.get("type") == "object" or "properties" in schema)


def _plain(schema: Schema, root: _Root) -> Schema:
    """An object schema without `$ref` and alternatives at its root: of all it may be, any property is known, and those are required that
    every alternative requires."""
    out = {key: value for key, value in schema.items() if key not in (*_JOINED, "$ref", "type")}
    parts = _objects([root.resolved(schema["$ref"])], root) if "$ref" in schema else []
    parts += _objects(schema.get("allOf"), root)
    choices = _objects(schema.get("anyOf"), root) + _objects(schema.get("oneOf"), root)
    properties: Schema = {}
    for part in (*choices, *parts, schema):
        found = part.get("properties")
        properties.update(found if isinstance(found, dict) else {})
    required = _required(schema) + [name for part in parts for name in _required(part)]
    if choices:
        required += [name for name in _required(choices[0]) if all(name in _required(one) for one in choices[1:])]
    out = {"type": "object", **{key: value for part in parts for key, value in part.items() if key not in ("type",)}, **out}
    out["properties"] = properties
    if required:
        out["required"] = list(dict.fromkeys(required))
    return out


def _objects(items: object, root: _Root) -> list[Schema]:
    """The alternatives that are objects, each plain itself."""
    found: list[Schema] = []
    for item in items if isinstance(items, list) else ():
        root.left -= 1
        if root.left < 0:
            break
        if isinstance(item, dict):
            found.append(_plain(item, root) if item.keys() & {*_JOINED, "$ref"} else item)
    return [item for item in found if item.get("type", "object") == "object"]


def _required(schema: Schema) -> list[str]:
    names = schema.get("required")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _children(schema: Schema) -> list[Schema]:
    found: list[object] = []
    for key, value in schema.items():
        if key == "properties" and isinstance(value, dict):
            found.extend(value.values())
        elif key in (*_JOINED, "prefixItems") and isinstance(value, list):
            found.extend(value)
        elif key in ("items", "additionalProperties", "not"):
            found.append(value)
    return [child for child in found if isinstance(child, dict)]


def _loops(schema: Schema, root: _Root, seen: dict[str, bool]) -> bool:
    """Whether a reference leads back to itself. `seen`: the references that were followed, True while one is being followed."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return any(_loops(child, root, seen) for child in _children(schema))
    if reference in seen:
        return seen[reference]
    seen[reference] = True
    found = _loops(root.resolved(reference), root, seen)
    seen[reference] = found
    return found


def _narrow(schema: Schema) -> Schema:
    if any(key in schema for key in _UNKNOWN):
        raise _Inexpressible
    out: Schema = {}
    for key, value in schema.items():
        if key in _DROPPED or (key == "format" and value not in _FORMATS) or (key == "minItems" and value not in (0, 1)):
            continue
        if key in _NAMED and isinstance(value, dict):
            out[key] = {name: _narrowed(child) for name, child in value.items()}
        elif key in _JOINED and isinstance(value, list):
            out["anyOf" if key == "oneOf" else key] = [_narrowed(child) for child in value]
        elif key == "items":
            out[key] = _narrowed(value)
        else:
            out[key] = value
    return _closed(out) if out.get("type") == "object" or "properties" in out else out


def _narrowed(child: object) -> object:
    return _narrow(child) if isinstance(child, dict) else child


def _closed(schema: Schema) -> Schema:
    """An object with no other keys than its properties."""
    free = schema.get("additionalProperties")
    if isinstance(free, dict) or free is True or (free is None and not schema.get("properties")):
        raise _Inexpressible
    return schema if free is False else {**schema, "additionalProperties": False}
