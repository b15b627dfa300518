from pathlib import Path

import msgspec
import pytest

from trunkline.errors import ConfigError
from trunkline.protocol.catalogue import Auth, Endpoint, Pricing
from trunkline.providers.credentials import Credentials, check_name, check_source, check_value


def endpoint(auth: Auth, *, base_url: str = "http://127.0.0.1:1", extra: dict[str, str] | None = None) -> Endpoint:
    return Endpoint(
        id="a/b@acme",
        model="a/b",
        provider="acme",
        provider_name="Acme",
        tag="acme",
        dialect="chat",
        base_url=base_url,
        upstream_model="b",
        pricing=Pricing(),
        auth=auth,
        extra_headers=extra or {},
    )


def test_a_secret_from_the_environment() -> None:
    credentials = Credentials({"ACME_API_KEY": "s3cret"})
    found = endpoint(Auth(source="env:ACME_API_KEY"))
    assert credentials.headers(found) == {"authorization": "Bearer s3cret"}
    assert credentials.missing(found) == ()


@pytest.mark.parametrize("environ", [{}, {"ACME_API_KEY": ""}, {"ACME_API_KEY": "  "}])
def test_a_variable_that_is_unset_or_empty_is_missing(environ: dict[str, str]) -> None:
    credentials = Credentials(environ)
    found = endpoint(Auth(source="env:ACME_API_KEY"))
    assert credentials.headers(found) is None
    assert credentials.missing(found) == ("ACME_API_KEY",)


def test_a_secret_from_a_file_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("from-file\n")
    credentials = Credentials({})
    auth = Auth(source=f"file:{path}")
    assert credentials.secret(auth) == "from-file"
    path.write_text("later")
    assert credentials.secret(auth) == "from-file"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the file cannot be read: No such file"):
        Credentials({}).secret(Auth(source=f"file:{tmp_path / 'absent'}"))
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        Credentials({}).secret(Auth(source=f"file:{tmp_path / 'binary'}"))


def test_a_literal_a_header_of_its_own_and_none_at_all() -> None:
    credentials = Credentials({})
    assert credentials.headers(endpoint(Auth(source="lit"))) == {"authorization": "Bearer lit"}
    assert credentials.headers(endpoint(Auth(style="header", header="x-api-key", source="lit"))) == {"x-api-key": "lit"}
    assert credentials.headers(endpoint(Auth())) == {}
    assert credentials.headers(endpoint(Auth(style="none", source="lit"))) == {}


def test_an_address_that_is_still_open_is_missing() -> None:
    found = endpoint(Auth(source="env:KEY"), base_url="env:VLLM_BASE_URL")
    assert Credentials({}).missing(found) == ("KEY", "VLLM_BASE_URL")


def test_a_supervised_child_asks_nothing_of_the_operator() -> None:
    found = msgspec.structs.replace(endpoint(Auth(source="env:LOCAL_KEY")), launch="local")
    assert Credentials({}).missing(found) == ()
    assert Credentials({}).headers(found) is None
    assert Credentials({"LOCAL_KEY": "k"}).headers(found) == {"authorization": "Bearer k"}


def test_extra_headers_come_along() -> None:
    found = endpoint(Auth(source="lit"), extra={"X-Team": "blue"})
    assert Credentials({}).headers(found) == {"x-team": "blue", "authorization": "Bearer lit"}


@pytest.mark.parametrize("value", ["two\nlines", "carriage\rreturn", "nül", "nul\0", "tab\tinside", " padded", "padded ", ""])
def test_a_value_that_no_header_can_carry_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_value(value, "ACME_API_KEY")
    assert caught.value.where == "ACME_API_KEY"
    assert not value.strip() or value not in str(caught.value)


@pytest.mark.parametrize("name", ["x team", "x:team", "", "Host", "content-length", "x-ä"])
def test_header_names_that_cannot_be_set(name: str) -> None:
    with pytest.raises(ConfigError):
        check_name(name, "here")
    assert check_name("X-Team", "here") == "x-team"


@pytest.mark.parametrize("source", ["", "env:ACME_API_KEY", "file:/run/secrets/acme", "literal", "sk:with:colons"])
def test_sources_of_secrets(source: str) -> None:
    assert check_source(source, "here") == source


def test_a_literal_that_cannot_be_sent_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        check_source("hunter2\r\nx: y", "providers[0].api_key")
    assert "hunter2" not in str(caught.value)
    assert caught.value.where == "providers[0].api_key"


def test_nothing_secret_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("from-file")
    credentials = Credentials({"ACME_API_KEY": "s3cret"})
    credentials.secret(Auth(source=f"file:{path}"))
    for text in (repr(credentials), str(credentials), f"{credentials}"):
        assert "s3cret" not in text
        assert "from-file" not in text


@pytest.mark.parametrize(
    ("auth", "environ", "names"),
    [
        (Auth(style="aws"), {}, ("AWS_BEARER_TOKEN_BEDROCK",)),
        (Auth(style="aws", source="env:MINE"), {}, ("MINE",)),
        (Auth(style="aws", source="env:MINE"), {"MINE": '{"accessKeyId": "a"}'}, ()),
        (Auth(style="aws", source="env:MINE"), {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}, ()),
        (Auth(style="aws"), {"AWS_ACCESS_KEY_ID": "a"}, ("AWS_SECRET_ACCESS_KEY",)),
        (Auth(style="aws", source="chain"), {}, ()),
        (Auth(style="google"), {}, ()),
        (Auth(style="google", source="env:ACCOUNT"), {}, ("ACCOUNT",)),
        (Auth(style="google", source="env:ACCOUNT"), {"ACCOUNT": '{"type": "service_account",\n}'}, ()),
    ],
)
def test_what_is_missing_where_calls_are_signed(auth: Auth, environ: dict[str, str], names: tuple[str, ...]) -> None:
    credentials, found = Credentials(environ), endpoint(auth, extra={"x-team": "a"})
    assert credentials.missing(found) == names
    assert credentials.headers(found) == {"x-team": "a"}


def test_a_callers_own_key_is_asked_for_by_its_name() -> None:
    own = endpoint(Auth(source="own:k1/2"))
    assert Credentials({}, {"k1/2": "theirs"}.get).headers(own) == {"authorization": "Bearer theirs"}
    assert Credentials({}, {}.get).headers(own) is None
    assert Credentials({"k1/2": "not this"}).headers(own) is None
    with pytest.raises(ConfigError, match="own: is for callers' own keys"):
        check_source("own:k1", "trunkline.toml: providers[0].api_key")
