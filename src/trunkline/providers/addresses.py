"""Base URLs: checked when they are read, so that no call meets a bad one.

A base URL may wait for the environment: `env:NAME` is the whole URL, `{NAME}` a part of one (a region, an account), and
`vertex:{PROJECT}/{LOCATION}` stands for the address of a Google Cloud project's models in a location.
"""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from trunkline.errors import ConfigError
from trunkline.providers.google import vertex_base

_ENVIRONMENT = "env:"
_VERTEX = "vertex:"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACE = re.compile(r"\{([^{}]*)\}")
_PART = re.compile(r"[A-Za-z0-9_-]{1,128}")
_EXAMPLE = "https://api.example.com/v1"


def resolve(text: str, environ: Mapping[str, str], where: str) -> tuple[str, bool]:
    """The base URL that `text` stands for, and whether all of it came from the environment.

    While a variable is unset its name stays in the text, and `variables` names it. Raises ConfigError.
    """
    if text.startswith(_ENVIRONMENT):
        name = variable_name(text.removeprefix(_ENVIRONMENT), where)
        value = environ.get(name, "").strip()
        return (checked(value, name) if value else text), True
    filled = _PLACE.sub(lambda place: _part(place[1], environ, where, free=text.startswith(_VERTEX)), text)
    if variables(filled):
        if not text.startswith(_VERTEX):
            checked(_PLACE.sub("part", filled), where)
        return filled, False
    return (_vertex(filled, where) if text.startswith(_VERTEX) else checked(filled, where)), False


def variables(url: str) -> tuple[str, ...]:
    """The environment variables that a base URL still waits for."""
    if url.startswith(_ENVIRONMENT):
        return (url.removeprefix(_ENVIRONMENT),)
    return tuple(dict.fromkeys(_PLACE.findall(url)))


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


def _part(name: str, environ: Mapping[str, str], where: str, *, free: bool) -> str:
    """The value of a variable inside a URL, its place while it is unset. A value can lead to no other host; one that is `free` is checked
    later."""
    value = environ.get(variable_name(name, where), "").strip()
    if value and not free and not _PART.fullmatch(value):
        raise ConfigError(name, f"{value[:60]!r} cannot be a part of a URL", "letters, digits, - and _, such as us-east-1")
    return value or f"{{{name}}}"


def _vertex(text: str, where: str) -> str:
    project, slash, location = text.removeprefix(_VERTEX).rpartition("/")
    if not slash:
        raise ConfigError(where, "a project and a location are needed", '"vertex:my-project/global"')
    try:
        return vertex_base(project, location)
    except ConfigError as error:
        raise ConfigError(where, error.problem, error.instead) from None


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
