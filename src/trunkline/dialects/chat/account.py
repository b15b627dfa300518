"""Facts beside the choices of an answer: the raw usage object and the upstream's own names."""

from collections.abc import Mapping

Raw = dict[str, object]


def take_usage(document: Raw, path: tuple[str, ...]) -> Raw | None:
    """Remove and return the usage object at `path`, else at `usage`, else inside the first choice (seen in some streams). What stands at
    `usage` is removed also where `path` is another place: some upstreams say it twice."""
    found = _take(document, path)
    if len(path) > 1 or path[0] != "usage":
        plain = _take(document, ("usage",))
        found = found or plain
    if found is None:
        choices = document.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict) and "usage" in choices[0]:
            found = choices[0].pop("usage")
    return found if isinstance(found, dict) and found else None


def _take(document: Raw, path: tuple[str, ...]) -> object:
    place: object = document
    for key in path[:-1]:
        place = place.get(key) if isinstance(place, dict) else None
    return place.pop(path[-1], None) if isinstance(place, dict) else None


def merge_usage(known: Raw | None, snapshot: Mapping[str, object]) -> Raw:
    """Usage events are cumulative snapshots: a later value that is not null replaces the earlier one, field by field; nothing is added
    up."""
    merged = dict(known or {})
    for key, value in snapshot.items():
        before = merged.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            merged[key] = merge_usage(before, value)
        elif value is not None or key not in merged:
            merged[key] = value
    return merged
