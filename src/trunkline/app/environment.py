"""What a process hands to its workers and itself beside the settings: the shared socket, the way to say "ready", the
workers' tally and board, and the address of the local model."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, structs

from trunkline.health.board import Board
from trunkline.local import embedder_files, weights
from trunkline.local.launch import new_api_key
from trunkline.local.presence import installed
from trunkline.metering.tally import Tally
from trunkline.settings import Settings

SOCKET = "TRUNKLINE_WORKER_FD"
NUMBER = "TRUNKLINE_WORKER_NUMBER"
READY = "TRUNKLINE_WORKER_READY_FD"
TALLY = "TRUNKLINE_WORKER_TALLY_FD"
BOARD = "TRUNKLINE_WORKER_BOARD_FD"
PARENT = "TRUNKLINE_WORKER_PARENT"
LOCAL_PORT = "TRUNKLINE_LOCAL_PORT"
EMBEDDER_PORT = "TRUNKLINE_LOCAL_EMBEDDER_PORT"
LOCAL_API_KEY = "TRUNKLINE_LOCAL_API_KEY"


class LocalPlace(Struct, frozen=True):
    """Where the local models answer: the ports are None when this process may pick them. `off` says in a sentence why there is no chat
    model; `embedder` is the file of the embedding model, None when there is none."""

    port: int | None
    api_key: str
    weights: Path
    off: str = ""
    embedder: Path | None = None
    embedder_port: int | None = None


def find_tally(environ: Mapping[str, str]) -> Tally | None:
    """The tally that this process shares with other workers; None when it is the only one."""
    return Tally(int(environ[TALLY]), int(environ[NUMBER])) if TALLY in environ else None


def find_board(environ: Mapping[str, str]) -> Board | None:
    """The board on which this process and other workers tell each other of endpoints in trouble; None when it is the only one."""
    return Board(int(environ[BOARD]), int(environ[NUMBER])) if BOARD in environ else None


def find_local(settings: Settings, environ: Mapping[str, str]) -> LocalPlace:
    """Whether and where the local models are to run."""
    directory = weights.default_directory(environ)
    place = LocalPlace(_port(environ, LOCAL_PORT), environ.get(LOCAL_API_KEY) or new_api_key(), directory / weights.FILE_NAME)
    if settings.local == "off":
        return LocalPlace(None, place.api_key, place.weights, "it is switched off by TRUNKLINE_LOCAL")
    if embedder_files.installed(directory):
        model = directory / embedder_files.MODEL.name
        place = structs.replace(place, embedder=model, embedder_port=_port(environ, EMBEDDER_PORT))
    presence = installed(directory)
    return place if presence.complete else structs.replace(place, port=None, off=presence.reason)


def _port(environ: Mapping[str, str], name: str) -> int | None:
    port = environ.get(name)
    return int(port) if port else None
