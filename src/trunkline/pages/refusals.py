"""Pages for what goes wrong: nothing there, not allowed, not understood, our own fault."""

import logging
import secrets

from litestar import Response
from litestar.exceptions import HTTPException
from msgspec import Struct

from trunkline.errors import ApiError
from trunkline.pages.render import Renderer

_log = logging.getLogger(__name__)


class Refusal(Struct, frozen=True):
    """What the page says."""

    status: int
    title: str
    text: str
    reference: str = ""


_FAULT = "Something went wrong on our side. The server's log has the story under this reference."
_TEXTS = {
    403: (
        "Not open here",
        "This server answers inference requests at this address, and nothing else. Its operator opens the site by setting "
        "TRUNKLINE_PUBLIC_URL to the address under which others reach it.",
    ),
    404: ("Nothing here", "No page, model or author has this address. The model may have another slug by now."),
    405: ("Not that way", "This address is for reading."),
}
_OTHER = ("Not understood", "The address asks for something that this server cannot make sense of.")


def refusal_of(error: Exception) -> Refusal:
    """What to say about an error; one that nobody foresaw gets a reference and goes to the log."""
    if isinstance(error, ApiError) and error.status < 500:
        return Refusal(error.status, _OTHER[0], error.message)
    if isinstance(error, HTTPException) and error.status_code < 500:
        return Refusal(error.status_code, *_TEXTS.get(error.status_code, _OTHER))
    reference = secrets.token_hex(6)
    _log.error("unexpected error %s", reference, exc_info=error)
    return Refusal(500, "Our fault", _FAULT, reference)


def answer(renderer: Renderer, error: Exception) -> Response[bytes]:
    """The page for an error."""
    refusal = refusal_of(error)
    response = renderer.page("refusal.html", status=refusal.status, refusal=refusal, section="")
    if isinstance(error, HTTPException):
        response.headers.update({name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"})
    return response
