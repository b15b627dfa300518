"""JSON schemas as Gemini takes them (Gemini API reference, `Schema`, `parametersJsonSchema` and `responseJsonSchema`).

`native` mends what the full dialect refuses: `const`, `definitions`, and words beside a `$ref`. A schema that needs no mending keeps its
bytes. `subset` writes the older OpenAPI 3.0 subset: no references, no unions but `anyOf`, `nullable` instead of null, enums of strings.
Property names are names, not words of the schema: one called `$ref` or `const` is left alone.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Raw

from trunkline.dialects.body import read_schema

Node = dict[str, object]

MAX_DEPTH: Final = 64
MAX_NODES: Final = 10_000
"""What is nested deeper, or larger once its references are spelled out, is cut to an object of any shape."""

_ONE = ("items", "additionalProperties", "not", "contains", "if", "then", "else", "propertyNames")
_MANY = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "$defs", "patternProperties", "dependentSchemas")
_MENDED = (b'"const"', b'"definitions"', b'"$ref"', b'"$schema"')
_OLD_REF = "#/definitions/"
_KEPT = ("title", "description", "default", "example", "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength", "pattern")
_FORMATS = {"number": ("float", "double"), "integer": ("int32", "int64"), "string": ("enum", "date-time")}
_NULL = {"type": "null"}


def native(schema: Raw, where: str) -> Raw:
    """The schema for `parametersJsonSchema` and `responseJsonSchema`. Raises ApiError, which names `where`, for one that is no object."""
    data = bytes(schema)
    if data[:1] == b"{" and not any(word in data for word in _MENDED):
        return schema
    root = read_schema(schema, where)
    mended = _Mender(_definitions(root)).mend(root)
    return schema if mended == root else Raw(msgspec.json.encode(mended))


def subset(schema: Raw, where: str) -> Node:
    """The schema for `parameters` and `responseSchema`. Raises ApiError, which names `where`, for one that is no object."""
    root = read_schema(schema, where)
    return _Subset(_definitions(root)).write(root)


def _definitions(root: Node) -> dict[str, object]:
    """Every target that a `$ref` of this document can name in the two usual places, and the document itself."""
    found: dict[str, object] = {"#": root}
    for place in ("$defs", "definitions"):
        named = root.get(place)
        if isinstance(named, dict):
            found.update({f"#/{place}/{name}": node for name, node in named.items()})
            found.update({f"#/$defs/{name}": node for name, node in named.items()})
    return found


class _Mender:
    """Mends one schema."""

    def __init__(self, known: Mapping[str, object]) -> None:
        self._known = known
        self._left = MAX_NODES

    def mend(self, node: object, seen: frozenset[str] = frozenset(), depth: int = 0) -> object:
        if not isinstance(node, dict):
            return node
        if depth > MAX_DEPTH:
            return {"type": "object"}
        self._left -= 1
        reference = node.get("$ref")
        if isinstance(reference, str) and any(not key.startswith("$") for key in node if key != "definitions"):
            return self._inlined(node, reference, seen, depth)
        return {word: self._content(word, content, seen, depth + 1) for word, content in _words(node)}

    def _content(self, word: str, content: object, seen: frozenset[str], depth: int) -> object:
        if word in _NAMED and isinstance(content, dict):
            return {name: self.mend(child, seen, depth) for name, child in content.items()}
        if word in _MANY and isinstance(content, list):
            return [self.mend(child, seen, depth) for child in content]
        return self.mend(content, seen, depth) if word in _ONE else content

    def _inlined(self, node: Node, reference: str, seen: frozenset[str], depth: int) -> object:
        """A reference with words beside it: the target with these words; the reference alone where the target holds itself."""
        target = self._known.get(reference)
        if not isinstance(target, dict) or reference in seen or self._left < 0:
            return {"$ref": _modern(reference)}
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return self.mend({**target, **beside}, seen | {reference}, depth + 1)


def _words(node: Node) -> Iterator[tuple[str, object]]:
    """The words of a schema as this dialect has them."""
    for key, value in node.items():
        if key == "const":
            yield "enum", [value]
        elif key == "definitions":
            yield "$defs", value
        elif key == "$ref":
            yield key, _modern(value)
        elif key != "$schema":
            yield key, value


def _modern(reference: object) -> object:
    if isinstance(reference, str) and reference.startswith(_OLD_REF):
        return "#/$defs/" + reference.removeprefix(_OLD_REF)
    return reference


class _Subset:
    """Writes one schema without references."""

    def __init__(self, known: Mapping[str, object]) -> None:
        self._known = known
        self._left = MAX_NODES

    def write(self, node: object, seen: frozenset[str] = frozenset(), depth: int = 0) -> Node:
        self._left -= 1
        if not isinstance(node, dict) or depth > MAX_DEPTH or self._left < 0:
            return {"type": "object"}
        node, seen = self._resolved(node, seen)
        if "$ref" in node:
            return {"type": "object", **_picked(node, ("description",))}
        alternatives = _alternatives(node)
        if alternatives is not None:
            return self._union(node, alternatives, seen, depth)
        return self._plain(node, seen, depth)

    def _resolved(self, node: Node, seen: frozenset[str]) -> tuple[Node, frozenset[str]]:
        """The node with its reference and its `allOf` spelled out; the `$ref` stays where it leads back to itself, or nowhere."""
        while isinstance(reference := node.get("$ref"), str):
            target = self._known.get(reference)
            if not isinstance(target, dict) or reference in seen:
                break
            seen = seen | {reference}
            node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
        parts = node.get("allOf")
        if not isinstance(parts, list):
            return node, seen
        merged: Node = {key: value for key, value in node.items() if key != "allOf"}
        for part in parts:
            if isinstance(part, dict):
                piece, seen = self._resolved(part, seen)
                merged = _joined(piece, merged)
        return merged, seen

    def _union(self, node: Node, alternatives: list[Node], seen: frozenset[str], depth: int) -> Node:
        """`anyOf` must stand alone, so its alternatives take over the description and the null."""
        kept = [one for one in alternatives if one != _NULL]
        shared = _picked(node, ("description",))
        if len(kept) < len(alternatives):
            shared["nullable"] = True
        if len(kept) == 1:
            beside = {key: value for key, value in node.items() if key not in ("anyOf", "oneOf", "type")}
            return {**self.write({**kept[0], **beside}, seen, depth + 1), **shared}
        return {"anyOf": [{**shared, **self.write(one, seen, depth + 1)} for one in kept]} if kept else {"type": "string", "nullable": True}

    def _plain(self, node: Node, seen: frozenset[str], depth: int) -> Node:
        kind = _kind(node)
        result: Node = {"type": kind, **_picked(node, _KEPT)}
        notes = _enumerate(node, kind, result)
        wanted = node.get("format")
        if isinstance(wanted, str):
            if wanted in _FORMATS.get(kind, ()):
                result["format"] = wanted
            else:
                notes.append(f"Format: {wanted}.")
        if notes:
            result["description"] = " ".join((str(result.get("description") or ""), *notes)).strip()
        properties = node.get("properties")
        if kind == "object" and isinstance(properties, dict) and properties:
            result["properties"] = {name: self.write(child, seen, depth + 1) for name, child in properties.items()}
            required = node.get("required")
            if isinstance(required, list) and required:
                result["required"] = [name for name in required if name in properties]
        if kind == "array":
            result["items"] = self.write(node.get("items", {"type": "string"}), seen, depth + 1)
        return result


def _alternatives(node: Node) -> list[Node] | None:
    for key in ("anyOf", "oneOf"):
        found = node.get(key)
        if isinstance(found, list) and found:
            return [one for one in found if isinstance(one, dict)]
    kinds = node.get("type")
    if isinstance(kinds, list) and kinds:
        return [dict(_NULL) if kind == "null" else {**node, "type": kind} for kind in kinds]
    return None


def _kind(node: Node) -> str:
    named = node.get("type")
    if isinstance(named, str):
        return named
    if "properties" in node:
        return "object"
    return "array" if "items" in node else "string"


def _enumerate(node: Node, kind: str, result: Node) -> list[str]:
    """Sets an enum of strings; values of another kind can only be told in words, which are returned."""
    values = [node["const"]] if "const" in node else node.get("enum")
    if not isinstance(values, list):
        return []
    if None in values:
        result["nullable"] = True
        values = [value for value in values if value is not None]
    if kind == "string" and values and all(isinstance(value, str) for value in values):
        result["enum"] = values
        return []
    return [f"One of: {', '.join(msgspec.json.encode(value).decode() for value in values)}."] if values else []


def _picked(node: Node, keys: tuple[str, ...]) -> Node:
    return {key: node[key] for key in keys if node.get(key) is not None}


def _joined(first: Node, second: Node) -> Node:
    """Two schemas that must both hold, as far as one object can say it: all properties, all that is required."""
    merged = {**first, **second}
    for key in ("properties", "required"):
        one, other = first.get(key), second.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            merged[key] = {**one, **other}
        elif isinstance(one, list) and isinstance(other, list):
            merged[key] = list(dict.fromkeys((*one, *other)))
    return merged
