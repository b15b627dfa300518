"""Cache points (bug class 9): at most four, never first, never after a document, no short-lived one before a long-lived one."""

from typing import Any

from trunkline.dialects.converse.marks import point, settle

TEXT = {"text": "x"}
DOCUMENT = {"document": {"name": "a"}}
POINT = {"cachePoint": {"type": "default"}}


def settled(*lists: list[Any], style: Any = "ttl") -> list[list[Any]]:
    copies = [[dict(block) for block in blocks] for blocks in lists]
    settle(copies, style)
    return copies


def test_bug_09_no_more_than_four_points_stay() -> None:
    marked = [one for _ in range(6) for one in (TEXT, point("5m"))]
    (got,) = settled(marked)
    assert [block for block in got if block != TEXT] == [POINT] * 4
    assert got[:3] == [TEXT, POINT, TEXT]
    assert got[-1] == POINT


def test_bug_09_a_point_follows_something() -> None:
    assert settled([point("5m"), TEXT], [point("5m")]) == [[TEXT], []]
    assert settled([TEXT, point("5m"), point("5m")]) == [[TEXT, POINT]]


def test_bug_09_no_point_follows_a_document() -> None:
    assert settled([TEXT, DOCUMENT, DOCUMENT, point("5m")]) == [[TEXT, POINT, DOCUMENT, DOCUMENT]]
    assert settled([DOCUMENT, point("5m")]) == [[DOCUMENT]]
    assert settled([DOCUMENT, TEXT, point("5m")]) == [[DOCUMENT, TEXT, POINT]]


def test_lifetimes() -> None:
    long = {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert settled([TEXT, point("1h")], [TEXT, point("5m"), TEXT, point("1h")]) == [[TEXT, long], [TEXT, POINT, TEXT, POINT]]
    assert settled([TEXT, point("1h")], style="plain") == [[TEXT, POINT]]
    assert settled([TEXT, point("1h")], style="none") == [[TEXT]]
