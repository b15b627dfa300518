"""Base URLs: checked when they are read, so that no call meets a bad one."""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from trunkline.errors import ConfigError

_ENVIRONMENT = "env:"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXAMPLE = "https://api.example.com/v1"


def resolve(text: str, environ: Mapping[str, str], where: str) -> tuple[str, bool]:
    """The base URL that `text` stands for, and whether it came from the environment.

    `env:NAME` is replaced by the variable's value; while that is unset the text stays as it is and `variable` names it. Raises ConfigError.
    """
    name = variable(text)
    if name is None:
        return checked(text, where), False
    variable_name(name, where)
    value = environ.get(name, "").strip()
    return (checked(value, name) if value else text), True


def variable(url: str) -> str | None:
    """The environment variable that a base URL still waits for, None when it waits for none."""
    return url.removeprefix(_ENVIRONMENT) if url.startswith(_ENVIRONMENT) else None


def variable_name(name: str, where: str) -> str:
    """`name` when an environment variable can have it. Raises ConfigError."""
    if not _VARIABLE.fullmatch(name):
        raise ConfigError(where, f"{name!r} is not the name of a variable", '"env:ACME_API_KEY"')
    return name


def checked(url: str, where: str) -> str:
    """`url` without a trailing slash. Raises ConfigError for anything but a plain http or https address with an optional path."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError(where, "the URL has a blank or another character that no URL has", _EXAMPLE)
    problem = _problem(url)
    if problem:
        raise ConfigError(where, problem, _EXAMPLE)
    return url.rstrip("/")


def _problem(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"not a URL: {error}"
    if parts.scheme not in ("http", "https"):
        return "a URL begins with http:// or https://"
    if port == 0:
        return "0 is no port"
    return _part_problem(parts)


def _part_problem(parts: SplitResult) -> str:
    if not parts.hostname:
        return "the URL names no host"
    if parts.username is not None or parts.password is not None:
        return "the URL holds a user name or password; put the secret into api_key"
    if parts.query or parts.fragment:
        return "a base URL has neither ? nor #"
    return ""
