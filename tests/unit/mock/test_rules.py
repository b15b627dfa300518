import pytest

from trunkline.mock.rules import Facts, Rules, matches
from trunkline.mock.script import Match, Rule


def facts(model: str = "a", *, stream: bool = False, text: str = "", **headers: str) -> Facts:
    return Facts(model=model, stream=stream, text=text, headers=headers)


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Match(), True),
        (Match(model="acme/*"), True),
        (Match(model="other/*"), False),
        (Match(stream=True), False),
        (Match(stream=False), True),
        (Match(contains="needle"), True),
        (Match(contains="Needle"), False),
        (Match(dialect="chat"), True),
        (Match(dialect="*embeddings"), False),
        (Match(results=False), True),
        (Match(results=True), False),
        (Match(headers={"x-a": "1*"}), True),
        (Match(headers={"x-a": "2"}), False),
        (Match(headers={"x-b": "1"}), False),
    ],
)
def test_a_rule_matches_by_model_stream_text_and_header(match: Match, expected: bool) -> None:
    assert matches(match, Facts(model="acme/m", stream=False, text="a needle", headers={"x-a": "12"})) is expected


def test_counts_choose_the_calls_a_rule_takes() -> None:
    first, skipping, every = Rule(name="first", first=2), Rule(name="skip", skip=3, first=1), Rule(name="every", every=2)
    rules = Rules([first, skipping, every])
    assert [getattr(rules.choose(facts()), "name", None) for _ in range(8)] == [
        *["first", "first"],
        # The later rules count only the calls that reach them.
        *["every", None, "every", "skip", None, "every"],
    ]


def test_a_rule_counts_only_what_it_matches() -> None:
    rules = Rules([Rule(name="once", match=Match(model="b"), first=1)])
    assert rules.choose(facts("a")) is None
    assert rules.choose(facts("b")) is not None
    assert rules.choose(facts("b")) is None
