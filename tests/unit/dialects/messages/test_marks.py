import pytest

from trunkline.dialects.messages.marks import place, settle, written


def marked(*ttls: str | None) -> list[dict[str, object]]:
    return [place({"type": "text", "text": str(index)}, ttl) for index, ttl in enumerate(ttls)]  # type: ignore[arg-type]


def left(blocks: list[dict[str, object]]) -> list[str]:
    return [str(block["text"]) for block in blocks if "cache_control" in block]


def test_bug_09_at_most_four_marks_stay_the_first_and_the_last_three() -> None:
    blocks = marked(*["5m"] * 7)
    settle(blocks, "ttl")
    assert left(blocks) == ["0", "4", "5", "6"]


@pytest.mark.parametrize(("reserved", "kept"), [(1, ["0", "5", "6"]), (2, ["0", "6"]), (3, ["6"]), (4, [])])
def test_bug_09_a_mark_at_the_top_counts(reserved: int, kept: list[str]) -> None:
    blocks = marked(*["5m"] * 7)
    settle(blocks, "ttl", reserved=reserved)
    assert left(blocks) == kept


def test_four_marks_all_stay() -> None:
    blocks = marked("1h", None, "5m", "5m", "5m")
    settle(blocks, "ttl")
    assert left(blocks) == ["0", "2", "3", "4"]
    assert blocks[0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert blocks[2]["cache_control"] == {"type": "ephemeral"}


def test_bug_09_a_long_mark_never_follows_a_short_one() -> None:
    blocks = marked("5m", "1h")
    settle(blocks, "ttl")
    assert [block["cache_control"] for block in blocks] == [{"type": "ephemeral"}] * 2


def test_bug_09_hosts_without_times_to_live_get_plain_marks_or_none() -> None:
    assert written("1h", "plain") == {"type": "ephemeral"}
    blocks = marked("1h", "5m")
    settle(blocks, "none")
    assert left(blocks) == []


def test_bug_09_thinking_is_never_marked() -> None:
    assert place({"type": "thinking"}, "5m") == {"type": "thinking"}
    assert place({"type": "text"}, None) == {"type": "text"}
