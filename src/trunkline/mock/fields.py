"""Reading JSON that may have any shape: what is not of the wanted type counts as empty. A mock that stumbles shows nothing."""

from collections.abc import Iterator


def mapping(value: object) -> dict[str, object]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[object]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else []


def string(value: object) -> str:
    """The text, or an empty one."""
    return value if isinstance(value, str) else ""


def number(value: object) -> int | None:
    """The whole number, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def mappings(value: object) -> Iterator[dict[str, object]]:
    """The objects of a list, an empty one in place of anything else in it."""
    return (mapping(item) for item in sequence(value))


def joined(content: object) -> str:
    """The text of a content: a string, or the `text` of the parts of a list, a space between them."""
    if isinstance(content, str):
        return content
    return " ".join(part["text"] for part in mappings(content) if isinstance(part.get("text"), str))  # type: ignore[misc]


def walk(value: object) -> Iterator[dict[str, object]]:
    """Every object inside a JSON value, the outermost first."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)
