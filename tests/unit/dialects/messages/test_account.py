from trunkline.dialects.messages.account import Account


def test_bug_10_a_later_zero_takes_nothing_back() -> None:
    account = Account()
    account.take({"input_tokens": 100, "cache_read_input_tokens": 50, "output_tokens": 1})
    account.take({"input_tokens": 0, "cache_read_input_tokens": None, "output_tokens": 20})
    assert account.counted == {"input_tokens": 100, "cache_read_input_tokens": 50, "output_tokens": 20}
    assert account.told == account.counted


def test_bug_10_snapshots_are_not_added_up() -> None:
    account = Account()
    for count in (1, 5, 9):
        account.take({"input_tokens": 100, "output_tokens": count})
    assert account.counted == {"input_tokens": 100, "output_tokens": 9}


def test_bug_10_cache_writes_told_late_are_in_the_parts_too() -> None:
    account = Account()
    account.take({"cache_creation_input_tokens": 0, "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}})
    account.take({"cache_creation_input_tokens": 700})
    assert account.counted["cache_creation"] == {"ephemeral_5m_input_tokens": 700, "ephemeral_1h_input_tokens": 0}


def test_parts_that_add_up_stay() -> None:
    account = Account()
    parts = {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}
    account.take({"cache_creation_input_tokens": 7, "cache_creation": parts})
    assert account.counted["cache_creation"] == parts


def test_a_compaction_is_counted_but_not_told() -> None:
    """Anthropic leaves it out of the totals of `message_delta`; `message_start` had told its numbers."""
    account = Account()
    account.take({"input_tokens": 100, "cache_read_input_tokens": 55096, "output_tokens": 7})
    iterations = [
        {"type": "compaction", "input_tokens": 100, "output_tokens": 83, "cache_read_input_tokens": 55096},
        {"type": "message", "input_tokens": 181, "output_tokens": 8, "cache_read_input_tokens": 0},
    ]
    account.take({"input_tokens": 181, "cache_read_input_tokens": 0, "output_tokens": 8, "iterations": iterations})
    assert (account.told["input_tokens"], account.told["cache_read_input_tokens"]) == (181, 0)
    assert (account.counted["input_tokens"], account.counted["cache_read_input_tokens"]) == (281, 55096)
    assert account.counted["output_tokens"] == 91


def test_an_advisor_is_another_models_business() -> None:
    account = Account()
    iterations = [{"type": "message", "input_tokens": 5, "output_tokens": 2}, {"type": "advisor_message", "input_tokens": 90}]
    account.take({"input_tokens": 5, "output_tokens": 2, "iterations": iterations})
    assert account.counted["input_tokens"] == 5


def test_garbage_counts_nothing() -> None:
    account = Account()
    account.take({"cache_creation_input_tokens": "x", "cache_creation": {"ephemeral_5m_input_tokens": None}, "iterations": [3, "x"]})
    assert account.counted["cache_creation_input_tokens"] == "x"
