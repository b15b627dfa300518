import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.routing.routers.patterns import Patterns


@pytest.mark.parametrize(
    ("pattern", "named", "others"),
    [
        ("anthropic/*", ["anthropic/claude-sonnet-4.5", "Anthropic/X"], ["openai/gpt-5", "xanthropic/y"]),
        ("openai/gpt-5*", ["openai/gpt-5", "openai/gpt-5-mini"], ["openai/gpt-4o", "openai/o3"]),
        ("google/*", ["google/gemini-2.5-pro"], ["googlex/gemini"]),
        ("openai/gpt-4o", ["openai/gpt-4o", "OpenAI/GPT-4o"], ["openai/gpt-4o-mini"]),
        ("*/claude-*", ["anthropic/claude-opus-4.7", "other/claude-"], ["anthropic/opus", "claude-opus"]),
        ("*", ["a/b"], []),
        ("a*b*a", ["aba", "axbya"], ["ab", "aa", "a"]),
    ],
)
def test_the_documented_patterns(pattern: str, named: list[str], others: list[str]) -> None:
    patterns = Patterns((pattern,))
    assert [one for one in (*named, *others) if patterns.match(one)] == named


@given(st.lists(st.text(alphabet="ab*", max_size=6), max_size=3), st.text(alphabet="ab", max_size=8))
def test_they_match_as_shell_patterns_do(patterns: list[str], name: str) -> None:
    expected = any(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) for pattern in patterns)
    assert Patterns(patterns).match(name) == expected


def test_no_pattern_takes_long() -> None:
    patterns = Patterns(["a*" * 512] * 10)
    started = time.process_time()
    assert not patterns.match("a" * 200 + "b")
    assert time.process_time() - started < 5
