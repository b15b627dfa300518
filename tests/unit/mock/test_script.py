from pathlib import Path

import pytest

from trunkline.errors import ConfigError
from trunkline.mock.script import Fault, Pace, load, parse

TOML = b"""
models = ["a"]
[[rules]]
match = { model = "a", stream = true }
first = 2
fault = { kind = "status", status = 429, retry_after = 1 }
"""


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


def test_spells_and_a_fleet(tmp_path: Path) -> None:
    script = parse(
        b"""
strict = true
[[spells]]
start = 10
end = 20.5
share = 0.3
fault = { kind = "status", status = 503 }
[[fleet]]
name = "slow"
port = 9101
realm = "other"
spells = [{ pace = { head_ms = 400 } }]
""",
        where="x",
        toml=True,
    )
    assert (script.spells[0].share, script.fleet[0].name, script.fleet[0].spells[0].pace) == (0.3, "slow", Pace(head_ms=400))
    with pytest.raises(ConfigError):
        parse(b'{"spells": [{"share": 2}]}', where="x")
