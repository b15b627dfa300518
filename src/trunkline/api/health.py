"""`GET /health`: whether the server is ready. Load balancers and start scripts ask; it needs no credential and tells no secret."""

from trunkline import __version__
from trunkline.api.call import Call, Reply, reply


async def answer_health(_call: Call) -> Reply:
    """200 as soon as the server takes requests."""
    return reply({"status": "ok", "version": __version__})
