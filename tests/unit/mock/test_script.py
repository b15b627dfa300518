from pathlib import Path

import pytest

from trunkline.errors import ConfigError
from trunkline.mock.script import Facts, Fault, Match, Rule, Rules, load, matches, parse

TOML = b"""
models = ["a"]
[[rules]]
match = { model = "a", stream = true }
first = 2
fault = { kind = "status", status = 429, retry_after = 1 }
"""


def facts(model: str = "a", *, stream: bool = False, text: str = "", **headers: str) -> Facts:
    return Facts(model=model, stream=stream, text=text, headers=headers)


def test_toml_and_json_give_the_same_script(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_bytes(TOML)
    (tmp_path / "s.json").write_text(
        '{"models": ["a"], "rules": [{"match": {"model": "a", "stream": true}, "first": 2,'
        ' "fault": {"kind": "status", "status": 429, "retry_after": 1}}]}'
    )
    assert load(tmp_path / "s.toml") == load(tmp_path / "s.json")
    assert load(tmp_path / "s.toml").rules[0].fault == Fault(kind="status", status=429, retry_after=1)


def test_a_wrong_script_names_the_file_and_the_field(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="modell"):
        parse(b'{"rules": [{"match": {"modell": "a"}}]}', where="x")
    with pytest.raises(ConfigError, match=r"no\.toml"):
        load(tmp_path / "no.toml")
    with pytest.raises(ConfigError):
        parse(b"rules = [[", where="x", toml=True)
    with pytest.raises(ConfigError):
        parse(b'{"rules": [{"every": 0}]}', where="x")


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
