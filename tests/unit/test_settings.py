"""Settings come from flags, then variables, then files, then defaults; a wrong one is named, a secret never shown."""

from pathlib import Path

import pytest

from trunkline.errors import ConfigError
from trunkline.settings import SETTINGS, load

KEY = "sk-or-v1-" + "a" * 64


def test_defaults() -> None:
    settings = load({}, {})
    assert (settings.host, settings.port, settings.workers, settings.local) == ("127.0.0.1", 8787, 1, "auto")
    assert settings.config is None
    assert settings.trusted_proxies == ()


def test_a_flag_beats_its_variable() -> None:
    assert load({"port": "1"}, {"TRUNKLINE_PORT": "2"}).port == 1
    assert load({}, {"TRUNKLINE_PORT": "2"}).port == 2


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    assert load({}, {"TRUNKLINE_BOOTSTRAP_API_KEY_FILE": str(file)}).bootstrap_api_key == KEY
    with pytest.raises(ConfigError, match="TRUNKLINE_BOOTSTRAP_API_KEY_FILE"):
        load({}, {"TRUNKLINE_BOOTSTRAP_API_KEY_FILE": str(tmp_path / "absent")})
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        load({}, {"TRUNKLINE_BOOTSTRAP_API_KEY_FILE": str(file)})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TRUNKLINE_PORT", "65536"),
        ("TRUNKLINE_PORT", "http"),
        ("TRUNKLINE_WORKERS", "0"),
        ("TRUNKLINE_TRUSTED_PROXIES", "10.0.0.1/33"),
        ("TRUNKLINE_LOCAL", "yes"),
        ("TRUNKLINE_PUBLIC_URL", "gateway.example.com"),
        ("TRUNKLINE_PUBLIC_URL", "https://gateway.example.com/base"),
        ("TRUNKLINE_PUBLIC_URL", "https://user@gateway.example.com"),
    ],
)
def test_a_wrong_value_is_named_with_what_to_write(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=variable) as caught:
        load({}, {variable: value})
    assert caught.value.instead


def test_a_wrong_key_is_not_echoed() -> None:
    secret = "sk-or-v1-almost-a-key"
    with pytest.raises(ConfigError, match="TRUNKLINE_BOOTSTRAP_API_KEY") as caught:
        load({}, {"TRUNKLINE_BOOTSTRAP_API_KEY": secret})
    assert secret not in str(caught.value)


def test_secrets_are_not_in_the_repr() -> None:
    assert KEY not in repr(load({}, {"TRUNKLINE_BOOTSTRAP_API_KEY": KEY}))


def test_every_setting_has_a_name_and_a_sentence() -> None:
    assert len({setting.variable for setting in SETTINGS}) == len(SETTINGS)
    assert all(setting.help.endswith(".") for setting in SETTINGS)


def test_trusted_proxies_and_public_url() -> None:
    settings = load({}, {"TRUNKLINE_TRUSTED_PROXIES": "10.0.0.0/8, ::1/128", "TRUNKLINE_PUBLIC_URL": "https://g.example.com/"})
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert settings.public_url == "https://g.example.com"
    assert settings.own_host == "g.example.com"
    assert load({}, {"TRUNKLINE_PUBLIC_URL": "https://EU.Example.com:8443"}).own_host == "eu.example.com"
    assert load({}, {}).own_host == ""
