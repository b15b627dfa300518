import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.errors import ConfigError
from trunkline.providers.addresses import checked, resolve, variable_name, variables


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
    assert variables("env:HERE") == ("HERE",)
    assert variables("http://a") == ()
    with pytest.raises(ConfigError, match=r"^HERE: "):
        resolve("env:HERE", {"HERE": "nonsense"}, "key")


BEDROCK = "https://bedrock-runtime.{AWS_REGION}.amazonaws.com"


def test_a_part_of_an_address_from_the_environment() -> None:
    assert resolve(BEDROCK, {"AWS_REGION": " eu-west-1 "}, "key") == ("https://bedrock-runtime.eu-west-1.amazonaws.com", False)
    assert resolve(BEDROCK, {}, "key") == (BEDROCK, False)
    assert variables(BEDROCK) == ("AWS_REGION",)
    two = "https://{HOST}.example.com/{ACCOUNT}/{HOST}"
    assert resolve(two, {"ACCOUNT": "a_1"}, "key") == ("https://{HOST}.example.com/a_1/{HOST}", False)
    assert variables(two) == ("HOST", "ACCOUNT")


@pytest.mark.parametrize("value", ["evil.example", "evil.example/", "a@b", "a:1", "a#", "a?b", "a b", "%2e", "{X}", "ä"])
def test_a_part_can_lead_to_no_other_host(value: str) -> None:
    with pytest.raises(ConfigError, match=r"^AWS_REGION: "):
        resolve(BEDROCK, {"AWS_REGION": value}, "key")


def test_what_is_wrong_with_the_rest_shows_before_the_variable_is_set() -> None:
    with pytest.raises(ConfigError, match=r"^key: a URL begins with http"):
        resolve("ftp://{HOST}/", {}, "key")
    with pytest.raises(ConfigError, match=r"^key: 'A B' is not the name of a variable"):
        resolve("https://{A B}/", {}, "key")


def test_a_project_and_a_location_at_google() -> None:
    text = "vertex:{PROJECT}/{PLACE}"
    assert resolve(text, {"PROJECT": "my-project", "PLACE": "us-central1"}, "key") == (
        "https://us-central1-aiplatform.googleapis.com/v1beta1/projects/my-project/locations/us-central1",
        False,
    )
    assert resolve("vertex:my-project/global", {}, "key")[0].startswith("https://aiplatform.googleapis.com/")
    assert resolve(text, {"PROJECT": "my-project"}, "key") == ("vertex:my-project/{PLACE}", False)
    assert variables("vertex:my-project/{PLACE}") == ("PLACE",)


@pytest.mark.parametrize(
    ("text", "environ", "problem"),
    [
        ("vertex:my-project", {}, "a project and a location are needed"),
        ("vertex:{PROJECT}/global", {"PROJECT": "evil.example/x"}, "is not the id of a project"),
        ("vertex:my-project/{PLACE}", {"PLACE": "evil.example"}, "is not a location"),
    ],
)
def test_a_wrong_project_or_location(text: str, environ: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigError, match=f"^key: .*{problem}"):
        resolve(text, environ, "key")


def test_names_of_variables() -> None:
    assert variable_name("AWS_REGION", "key") == "AWS_REGION"
    with pytest.raises(ConfigError, match=r"^key: '1A' is not the name of a variable"):
        variable_name("1A", "key")
