"""JSON schemas as Bedrock takes them (Bedrock user guide, "Get validated JSON results"): of tools, whose root must be a plain object, and
of structured answers, a smaller language. A schema that fits keeps its bytes. Property names are names, not words of the schema.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw

from trunkline.dialects.body import read_schema
from trunkline.errors import ApiError

Node = dict[str, object]

MAX_DEPTH: Final = 32
MAX_NODES: Final = 2_000
"""What is nested deeper, or has more parts once its references are followed, is not looked into: few references can make exponentially many
parts."""

_EMPTY: Final = Raw(b'{"type":"object","properties":{}}')
_JOINED: Final = ("allOf", "anyOf", "oneOf")
_NAMED: Final = ("properties", "$defs", "definitions")
_DROPPED: Final = frozenset(
    (
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems", "uniqueItems"),
        *("minProperties", "maxProperties", "contains", "minContains", "maxContains", "propertyNames", "unevaluatedProperties"),
    )
)
"""Constraints that structured answers do not know."""
_INEXPRESSIBLE: Final = frozenset(("not", "if", "then", "else", "patternProperties", "prefixItems", "dependentSchemas", "oneOf"))


class _Unsayable(Exception):
    """Never leaves this module: a structured answer cannot have this form."""


class _Root:
    """A schema as the place that references point into, and how many parts of it may still be looked at."""

    def __init__(self, schema: Node) -> None:
        self.schema = schema
        self.left = MAX_NODES

    def target(self, reference: object) -> Node:
        """What a local reference points to; an empty schema when that is nothing."""
        place: object = self.schema
        if not isinstance(reference, str) or not reference.startswith("#"):
            return {}
        for step in reference[1:].split("/")[1:]:
            place = place.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(place, Mapping) else None
        return place if isinstance(place, dict) else {}

    def spend(self) -> bool:
        """Whether one more part may be looked at."""
        self.left -= 1
        return self.left >= 0


def input_schema(parameters: Raw | None, where: str) -> Raw:
    """The schema of a tool's input: an object at its root, without a reference or alternatives there. Raises ApiError, which names
    `where`, for what is no JSON object."""
    if parameters is None or bytes(parameters) in (b"null", b"{}"):
        return _EMPTY
    root = read_schema(parameters, where)
    if root.get("type") == "object" and not any(key in root for key in (*_JOINED, "$ref")):
        return parameters
    return Raw(msgspec.json.encode(_plain(root, _Root(root), MAX_DEPTH)))


def answer_schema(schema: Raw) -> Raw | None:
    """The schema of a structured answer; None when it cannot be said: recursion, objects with free keys, negations."""
    try:
        root = read_schema(schema, "response_format")
        narrowed = _narrowed(root, MAX_DEPTH)
    except (ApiError, _Unsayable):
        return None
    if _loops(root, _Root(root), frozenset(), MAX_DEPTH):
        return None
    return schema if narrowed == root else Raw(msgspec.json.encode(narrowed))


def is_object(schema: Raw) -> bool:
    """Whether a schema describes an object, as the input of a tool must."""
    try:
        root = read_schema(schema, "response_format")
    except ApiError:
        return False
    return root.get("type") == "object"


def _plain(node: Node, root: _Root, left: int) -> Node:
    """An object schema: of all that the root may be, every property is known, and those are required that every alternative requires."""
    out: Node = {key: value for key, value in node.items() if key not in (*_JOINED, "$ref", "type", "properties", "required")}
    parts = [root.target(node["$ref"])] if "$ref" in node else []
    parts += _list(node.get("allOf"))
    choices = _list(node.get("anyOf")) + _list(node.get("oneOf"))
    if left <= 0 or not root.spend():
        parts, choices = [], []
    plain = [_plain(part, root, left - 1) for part in parts]
    alternatives = [_plain(choice, root, left - 1) for choice in choices[:MAX_DEPTH]]
    properties: Node = {}
    for part in (*alternatives, *plain, node):
        found = part.get("properties")
        properties.update(found if isinstance(found, dict) else {})
    required = _required(node) + [name for part in plain for name in _required(part)]
    if alternatives:
        required += [name for name in _required(alternatives[0]) if all(name in _required(one) for one in alternatives[1:])]
    out = {**{key: value for part in plain for key, value in part.items()}, **out, "type": "object", "properties": properties}
    return {**out, "required": list(dict.fromkeys(required))} if required else out


def _narrowed(node: object, left: int) -> object:
    """A schema in the smaller language. Raises _Unsayable."""
    if not isinstance(node, dict):
        return node
    if left <= 0 or _INEXPRESSIBLE & node.keys():
        raise _Unsayable
    out: Node = {key: _word(key, value, left - 1) for key, value in node.items() if key not in _DROPPED}
    if node.get("type") == "object" or "properties" in node:
        if node.get("additionalProperties", False) is not False or not isinstance(node.get("properties", {}), dict):
            raise _Unsayable
        out["additionalProperties"] = False
    return out


def _word(key: str, value: object, left: int) -> object:
    if key in _NAMED and isinstance(value, dict):
        return {name: _narrowed(child, left) for name, child in value.items()}
    if key in _JOINED and isinstance(value, list):
        return [_narrowed(child, left) for child in value]
    if key == "minItems":
        return min(value, 1) if isinstance(value, int) else value
    return _narrowed(value, left) if key == "items" else value


def _loops(node: object, root: _Root, seen: frozenset[str], left: int) -> bool:
    """Whether a schema holds itself, or is nested so deep that it might."""
    if isinstance(node, list):
        return any(_loops(child, root, seen, left) for child in node)
    if not isinstance(node, dict):
        return False
    if left <= 0 or not root.spend():
        return True
    reference = node.get("$ref")
    if isinstance(reference, str):
        return reference in seen or _loops(root.target(reference), root, seen | {reference}, left - 1)
    children = [child for key, value in node.items() for child in _children(key, value)]
    return any(_loops(child, root, seen, left - 1) for child in children)


def _children(key: str, value: object) -> list[object]:
    if key == "properties" and isinstance(value, dict):
        return list(value.values())
    return [value] if key in ("items", "anyOf", "allOf") else []


def _list(value: object) -> list[Node]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _required(node: Node) -> list[str]:
    names = node.get("required")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
