"""The files that pages link to, in memory, under names that change with their content."""

import hashlib
from collections.abc import Mapping
from importlib.resources import files

from msgspec import Struct

_FOLDER = "static"
_TYPES = {"css": "text/css", "svg": "image/svg+xml"}
_HASH_DIGITS = 12


class Asset(Struct, frozen=True):
    """One file and its media type."""

    content: bytes
    media_type: str


class Assets:
    """All files of `static/`, read once."""

    def __init__(self) -> None:
        self._by_hashed_name: dict[str, Asset] = {}
        self._hashed_names: dict[str, str] = {}
        for file in files(__package__).joinpath(_FOLDER).iterdir():
            stem, _, ending = file.name.rpartition(".")
            if ending in _TYPES:
                content = file.read_bytes()
                hashed = f"{stem}-{hashlib.sha256(content).hexdigest()[:_HASH_DIGITS]}.{ending}"
                self._hashed_names[file.name] = hashed
                self._by_hashed_name[hashed] = Asset(content, _TYPES[ending])

    @property
    def names(self) -> Mapping[str, str]:
        """The hashed name of each file."""
        return self._hashed_names

    def path(self, name: str) -> str:
        """Where a page finds the file. Raises KeyError for one that does not exist, which is a fault of the template."""
        return f"/static/{self._hashed_names[name]}"

    def plain(self, name: str) -> Asset:
        """The file by its own name."""
        return self._by_hashed_name[self._hashed_names[name]]

    def find(self, hashed_name: str) -> Asset | None:
        """The file that a request names, None when it is of another version or never was."""
        return self._by_hashed_name.get(hashed_name)
