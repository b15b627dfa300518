import pytest
from msgspec import Struct

from trunkline.catalogue import feeds
from trunkline.catalogue.feeds import decode, rate
from trunkline.errors import ConfigError


class Shape(Struct):
    name: feeds.Name


def test_json_of_the_shape() -> None:
    assert decode(b'{"name": "x", "more": 1}', Shape, "list.json").name == "x"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "truncated"),
        (b"<html>", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b"[" * 100_000, "recursion|Expected|truncated|malformed|depth"),
        (b'{"name": 1}', r"Expected `str`, got `int` - at `\$.name`"),
        (b'{"name": "' + b"x" * 10_000 + b'"}', "length <= 256"),
    ],
)
def test_another_text_is_a_mistake_told_in_one_line(text: bytes, problem: str) -> None:
    with pytest.raises(ConfigError, match=rf"(?i)^list.json: this is not the list that was expected: .*({problem})") as caught:
        decode(text, Shape, "list.json")
    assert len(str(caught.value)) < 400


def test_a_list_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "LARGEST_LIST", 10)
    with pytest.raises(ConfigError, match="longer than 10 bytes"):
        decode(b'{"name": "x"}', Shape, "list.json")


def test_prices_are_rounded_to_the_pico_dollar() -> None:
    assert rate("0.00000175", "p") == 1_750_000
    assert rate("0.00000008333333333333334", "p") == 83_333
    assert rate("0", "p") == 0
    assert rate(0.075, "p", per=10**6) == 75_000


@pytest.mark.parametrize("value", ["-0.1", "free", "", "NaN", "Infinity", "1e30", "1e999999999", float("nan"), -1.0])
def test_what_is_no_price(value: str | float) -> None:
    with pytest.raises(ConfigError, match=r"^list.json: data\[0\]: .* is no price"):
        rate(value, "list.json: data[0]")
