import pytest

from trunkline.dialects.messages.betas import MOST, forwarded
from trunkline.protocol.quirks import Quirks

VERTEX = Quirks(betas={"tools-1": "search-1", "long-2": ""})
ALL = Quirks(betas={"*": ""})


def line(value: bytes, quirks: Quirks, name: bytes = b"anthropic-beta") -> str | None:
    return forwarded({name: value}, quirks).get("anthropic-beta")


def test_a_host_hears_what_it_takes_in_its_own_words() -> None:
    assert line(b"long-2, effort-3 ,tools-1", VERTEX) == "long-2,search-1"
    assert line(b"effort-3", VERTEX) is None


def test_a_host_may_take_everything() -> None:
    assert line(b"long-2,effort-3,long-2", ALL) == "long-2,effort-3"
    assert line(b"a-1,b-2", Quirks(betas={"*": "", "a-1": "x-1"})) == "x-1,b-2"


def test_openrouters_header_counts_too() -> None:
    assert line(b"long-2", ALL, b"x-anthropic-beta") == "long-2"
    assert forwarded({b"anthropic-beta": b"a", b"x-anthropic-beta": b"b,a"}, ALL) == {"anthropic-beta": "a,b"}


def test_without_a_table_nothing_goes_on() -> None:
    assert forwarded({b"anthropic-beta": b"long-2"}, Quirks()) == {}
    assert forwarded({}, ALL) == {}


@pytest.mark.parametrize("value", [b"", b" , ,", b"a b", b"a\r\nx-api-key: k", b"\xff", b"x" * 200, b"*"])
def test_what_is_no_name_is_left_out(value: bytes) -> None:
    assert forwarded({b"anthropic-beta": value}, ALL) == {}


def test_there_is_an_end() -> None:
    many = b",".join(b"a-%d" % number for number in range(MOST + 5))
    assert len((line(many, ALL) or "").split(",")) == MOST
