"""Citations: this dialect has them flat (`{"type": "url_citation", "url": ...}`), the hub's chat wire nests them under their type."""


def to_chat(annotation: object) -> object:
    """An annotation of this dialect in the chat wire's shape."""
    kind = annotation.get("type") if isinstance(annotation, dict) else None
    if not isinstance(annotation, dict) or not isinstance(kind, str) or isinstance(annotation.get(kind), dict):
        return annotation
    return {"type": kind, kind: {key: value for key, value in annotation.items() if key != "type"}}


def from_chat(annotation: object) -> dict[str, object] | None:
    """An annotation of the chat wire in this dialect's shape; None for one that is no citation in a text.

    A `url_citation` gets the positions 0 where the upstream gave none, since clients demand them.
    """
    kind = annotation.get("type") if isinstance(annotation, dict) else None
    if not isinstance(annotation, dict) or not isinstance(kind, str):
        return None
    inner = annotation.get(kind)
    fields = inner if isinstance(inner, dict) else {key: value for key, value in annotation.items() if key != "type"}
    if kind == "url_citation":
        return {"type": kind, **_URL_DEFAULTS, **{key: value for key, value in fields.items() if value is not None}}
    return {"type": kind, **fields} if kind in _KINDS else None


_URL_DEFAULTS: dict[str, object] = {"start_index": 0, "end_index": 0, "url": "", "title": ""}
_KINDS = frozenset(("file_citation", "container_file_citation", "file_path"))
