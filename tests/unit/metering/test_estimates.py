from hypothesis import given
from hypothesis import strategies as st

from trunkline.metering.estimates import DEFAULT_OUTPUT, Estimates


def test_without_knowledge_four_bytes_are_a_token_and_an_answer_is_of_default_length() -> None:
    estimates = Estimates()
    assert estimates.tokens("m", 0) == 0
    assert estimates.tokens("m", 1) == 1
    assert estimates.tokens("m", 400) == 100
    assert estimates.output_tokens("m") == DEFAULT_OUTPUT
    assert estimates.output_tokens("m", 16) == 16
    assert estimates.output_tokens("m", 10**6) == DEFAULT_OUTPUT


def test_prompt_estimates_follow_what_the_upstream_counts() -> None:
    estimates = Estimates()
    for size in (900, 1000, 1100) * 20:
        estimates.observe("cjk", text_bytes=size, prompt_tokens=size // 2, output_tokens=10)
    assert 950 <= estimates.tokens("cjk", 2000) <= 1050
    assert estimates.tokens("other", 2000) == 500


def test_long_prompts_weigh_more_than_short_ones() -> None:
    estimates = Estimates()
    for _ in range(50):
        estimates.observe("m", text_bytes=2, prompt_tokens=10, output_tokens=1)
        estimates.observe("m", text_bytes=40_000, prompt_tokens=10_000, output_tokens=1)
    assert 10_000 <= estimates.tokens("m", 40_000) < 10_100


def test_absurd_counts_leave_the_ratio_in_bounds() -> None:
    estimates = Estimates()
    estimates.observe("m", text_bytes=1, prompt_tokens=10**9, output_tokens=0)
    assert estimates.tokens("m", 100) == 400


def test_a_request_without_text_teaches_nothing_of_prompts() -> None:
    estimates = Estimates()
    estimates.observe("m", text_bytes=0, prompt_tokens=1000, output_tokens=5)
    assert estimates.tokens("m", 400) == 100


def test_output_estimate_covers_nearly_all_answers_seen() -> None:
    estimates = Estimates()
    lengths = [50 + (n * 37) % 200 for n in range(400)]
    covered = 0
    for length in lengths:
        covered += estimates.output_tokens("m") >= length
        estimates.observe("m", text_bytes=100, prompt_tokens=25, output_tokens=length)
    assert covered >= 0.97 * len(lengths)
    assert estimates.output_tokens("m") < DEFAULT_OUTPUT
    assert estimates.output_tokens("m", 7) == 7
    assert estimates.output_tokens("m", -1) == 0


def answered(estimates: Estimates, *lengths: int) -> int:
    """The bound after answers of these lengths."""
    for length in lengths:
        estimates.observe("m", text_bytes=100, prompt_tokens=25, output_tokens=length)
    return estimates.output_tokens("m")


def test_one_huge_answer_among_usual_ones_moves_the_bound_little() -> None:
    estimates = Estimates()
    usual = answered(estimates, *[100, 140, 120] * 20)
    assert answered(estimates, 400_000) <= 3 * usual
    assert answered(estimates, *[100, 140, 120] * 20) <= 1.2 * usual


def test_a_first_answer_that_is_huge_does_not_become_the_rule() -> None:
    assert answered(Estimates(), 400_000) <= 3 * DEFAULT_OUTPUT + 1


def test_a_model_that_always_answers_at_length_is_soon_believed() -> None:
    estimates = Estimates()
    assert answered(estimates, *[20_000] * 8) >= 20_000
    assert answered(estimates, *[20_000] * 100) < 40_000


@given(st.lists(st.integers(0, 10**12), max_size=30), st.integers(0, 10**12))
def test_no_answer_more_than_triples_the_bound(before: list[int], last: int) -> None:
    estimates = Estimates()
    known = answered(estimates, *before)
    assert answered(estimates, last) <= 3 * max(known, DEFAULT_OUTPUT) + 1


def test_memory_is_bounded_and_the_longest_unused_goes_first() -> None:
    estimates = Estimates(capacity=2)
    for model in ("a", "b", "a", "c"):
        estimates.observe(model, text_bytes=100, prompt_tokens=100, output_tokens=1)
    assert [estimates.tokens(model, 100) for model in ("a", "b", "c")] == [100, 25, 100]
