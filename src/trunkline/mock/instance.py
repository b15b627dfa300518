"""The smallest JSON value that fits a JSON schema, for `response_format` and for the arguments of forced tool calls.

Covers what structured outputs allow: types, `enum`, `const`, `required`, bounds, `anyOf`/`oneOf`/`allOf`, local `$ref`. A recursive
schema ends since only required properties and `minItems` items are made.
"""

from collections.abc import Callable, Mapping

Schema = Mapping[str, object]

_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "email": "mock@example.com",
    "uri": "http://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
}


def _as_schema(value: object) -> Schema:
    return value if isinstance(value, dict) else {}


def _number(value: object, default: int) -> int | float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default


def _string(schema: Schema, _root: Schema) -> object:
    text = _FORMATS.get(str(schema.get("format")), "mock")
    least, most = _number(schema.get("minLength"), 0), _number(schema.get("maxLength"), len(text) + 1_000_000)
    return text.ljust(int(least), "x")[: int(most)]


def _numeric(schema: Schema, _root: Schema) -> object:
    step = _number(schema.get("multipleOf"), 1)
    least = _number(schema.get("minimum"), 0)
    if "exclusiveMinimum" in schema:
        least = (
            max(least, _number(schema["exclusiveMinimum"], 0) + step)
            if "minimum" in schema
            else _number(schema["exclusiveMinimum"], 0) + step
        )
    most = _number(schema.get("maximum"), max(0, int(least)))
    if "exclusiveMaximum" in schema:
        most = min(most, _number(schema["exclusiveMaximum"], 0) - step)
    value = min(max(least, 0), most) if "minimum" not in schema and "exclusiveMinimum" not in schema else least
    return -(-value // step) * step if "multipleOf" in schema else value


def _array(schema: Schema, root: Schema) -> object:
    prefix = schema.get("prefixItems")
    items = [instance(item, root) for item in prefix] if isinstance(prefix, list) else []
    missing = int(_number(schema.get("minItems"), 0)) - len(items)
    return items + [instance(schema.get("items", {}), root) for _ in range(missing)]


def _object(schema: Schema, root: Schema) -> object:
    properties = _as_schema(schema.get("properties"))
    required = schema.get("required")
    return {str(name): instance(properties.get(str(name), {}), root) for name in (required if isinstance(required, list) else [])}


_TYPES: Mapping[str, Callable[[Schema, Schema], object]] = {
    "string": _string,
    "integer": _numeric,
    "number": _numeric,
    "array": _array,
    "object": _object,
    "boolean": lambda _schema, _root: True,
    "null": lambda _schema, _root: None,
}


def _resolve(reference: str, root: Schema) -> object:
    """The schema a local reference (`#/$defs/name`) points to; `{}` where it points to nothing."""
    target: object = root
    for key in reference.removeprefix("#").split("/")[1:]:
        target = _as_schema(target).get(key.replace("~1", "/").replace("~0", "~"), {})
    return target


def _merged(schema: Schema, root: Schema) -> Schema:
    """The schema with the parts of its `allOf` folded in: properties united, required names joined, other keywords of later parts win."""
    parts = schema.get("allOf")
    whole: dict[str, object] = {key: value for key, value in schema.items() if key != "allOf"}
    for given in map(_as_schema, parts if isinstance(parts, list) else []):
        part = _as_schema(_resolve(str(given["$ref"]), root)) if "$ref" in given else given
        properties = {**_as_schema(whole.get("properties")), **_as_schema(part.get("properties"))}
        names = [*_names(whole), *_names(part)]
        whole |= part
        whole |= ({"properties": properties} if properties else {}) | ({"required": names} if names else {})
    return whole


def _names(schema: Schema) -> list[object]:
    required = schema.get("required")
    return list(required) if isinstance(required, list) else []


def _type(schema: Schema) -> str:
    """The type to make: the declared one (the first of several), else what the keywords hint at, else text."""
    declared = schema.get("type")
    if isinstance(declared, list) and declared:
        declared = declared[0]
    if isinstance(declared, str):
        return declared.lower()  # one vendor writes OBJECT
    return (
        "object"
        if "properties" in schema or "required" in schema
        else "array"
        if "items" in schema or "prefixItems" in schema
        else "string"
    )


def instance(schema: object, root: Schema | None = None) -> object:
    """A small value that fits `schema`; `root` is the document that local references point into (the schema itself by default)."""
    rules = _as_schema(schema)
    root = rules if root is None else root
    if isinstance(reference := rules.get("$ref"), str):
        return instance(_resolve(reference, root), root)
    if "const" in rules:
        return rules["const"]
    choices = rules.get("enum") or rules.get("anyOf") or rules.get("oneOf")
    if isinstance(choices, list) and choices:
        return choices[0] if "enum" in rules else instance(choices[0], root)
    rules = _merged(rules, root)
    return _TYPES.get(_type(rules), _string)(rules, root)
