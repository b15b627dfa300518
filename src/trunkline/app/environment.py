"""What a process hands to its workers and itself beside the settings: the shared socket, the way to say "ready", the
workers' tally, and the address of the local model."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from trunkline.local import weights
from trunkline.local.launch import new_api_key
from trunkline.local.presence import installed
from trunkline.metering.tally import Tally
from trunkline.settings import Settings

SOCKET = "TRUNKLINE_WORKER_FD"
NUMBER = "TRUNKLINE_WORKER_NUMBER"
READY = "TRUNKLINE_WORKER_READY_FD"
TALLY = "TRUNKLINE_WORKER_TALLY_FD"
PARENT = "TRUNKLINE_WORKER_PARENT"
LOCAL_PORT = "TRUNKLINE_LOCAL_PORT"
LOCAL_API_KEY = "TRUNKLINE_LOCAL_API_KEY"


class LocalPlace(Struct, frozen=True):
    """Where the local model answers: `port` is None when this process may pick one. `off` says in a sentence why there is none."""

    port: int | None
    api_key: str
    weights: Path
    off: str = ""


def find_tally(environ: Mapping[str, str]) -> Tally | None:
    """The tally that this process shares with other workers; None when it is the only one."""
    return Tally(int(environ[TALLY]), int(environ[NUMBER])) if TALLY in environ else None


def find_local(settings: Settings, environ: Mapping[str, str]) -> LocalPlace:
    """Whether and where the local model is to run."""
    directory = weights.default_directory(environ)
    port = environ.get(LOCAL_PORT)
    place = LocalPlace(int(port) if port else None, environ.get(LOCAL_API_KEY) or new_api_key(), directory / weights.FILE_NAME)
    if settings.local == "off":
        return LocalPlace(None, place.api_key, place.weights, "it is switched off by TRUNKLINE_LOCAL")
    presence = installed(directory)
    return LocalPlace(None, place.api_key, place.weights, presence.reason) if not presence.complete else place
