import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import ConfigError
from trunkline.providers.addresses import checked, resolve, variable


@pytest.mark.parametrize("url", ["https://api.example.com/v1", "http://127.0.0.1:9001/v1", "http://[::1]:8080", "http://vllm.internal"])
def test_plain_addresses_are_kept(url: str) -> None:
    assert checked(url, "here") == url
    assert checked(url + "/", "here") == url


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://example.com", "begins with http"),
        ("example.com/v1", "begins with http"),
        ("http://", "names no host"),
        ("http:///v1", "names no host"),
        ("http://user:secret@example.com", "user name or password"),
        ("http://example.com/v1?key=1", "neither"),
        ("http://example.com/#top", "neither"),
        ("http://example.com:99999", "not a URL"),
        ("http://example.com:0", "0 is no port"),
        ("http://[::1", "not a URL"),
        ("http://exa mple.com", "blank"),
        ("http://example.com\r\nX-Evil: 1", "blank"),
        ("http://exämple.com", "blank"),
        ("", "begins with http"),
    ],
)
def test_other_addresses_are_refused(url: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=f"^here: .*{problem}"):
        checked(url, "here")


def test_the_secret_in_a_bad_address_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        checked("http://user:hunter2@example.com", "here")
    assert "hunter2" not in str(caught.value)


@given(st.text())
def test_any_text_is_an_address_or_a_config_error(text: str) -> None:
    try:
        assert checked(text, "here").startswith(("http://", "https://"))
    except ConfigError as error:
        assert error.where == "here"


def test_an_address_from_the_environment() -> None:
    assert resolve("env:HERE", {"HERE": " http://127.0.0.1:1/v1/ "}, "key") == ("http://127.0.0.1:1/v1", True)
    assert resolve("env:HERE", {}, "key") == ("env:HERE", True)
    assert resolve("http://a", {}, "key") == ("http://a", False)
    assert variable("env:HERE") == "HERE"
    assert variable("http://a") is None
    with pytest.raises(ConfigError, match=r"^HERE: "):
        resolve("env:HERE", {"HERE": "nonsense"}, "key")
