"""Remembers when a model that has no release date first appeared, so that its `created` stays the same over restarts."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec


class FirstSeen:
    """Unix seconds by model id, kept in a JSON file. Call it with a model id.

    A file that is missing or unreadable counts as empty; a folder that cannot be written only means that the date is asked for again.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._seen = self._read()

    def __call__(self, model_id: str) -> int:
        """When the model was first asked for; a new one is written down."""
        if model_id not in self._seen:
            self._seen = {**self._read(), model_id: int(self._clock())}
            self._write()
        return self._seen[model_id]

    def _read(self) -> dict[str, int]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, int])
        except (OSError, msgspec.MsgspecError):
            return {}

    def _write(self) -> None:
        draft = self._path.with_suffix(f".{os.getpid()}.tmp")
        try:
            draft.write_bytes(msgspec.json.encode(self._seen))
            draft.replace(self._path)
        except OSError:
            draft.unlink(missing_ok=True)
