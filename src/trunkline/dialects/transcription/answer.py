"""The body of an answer to `POST /audio/transcriptions` (contract 5.8), and what all forms of the operation read alike."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.oneshot import Result, whole_number
from trunkline.dialects.transcription.request import TranscriptionRequest
from trunkline.errors import MalformedResponse
from trunkline.protocol.money import usd
from trunkline.protocol.usage import Cost, Units, Usage

VERBOSE: Final = ("task", "language", "duration", "segments", "words")


def write(_identity: Identity, request: TranscriptionRequest, result: Result, usage: Usage, cost: Cost) -> bytes:
    """The JSON body. `result.content` holds what the upstream said, with `text`."""
    said: Mapping[str, Any] = result.content
    body: dict[str, Any] = {name: said[name] for name in VERBOSE if said.get(name) is not None} if request.verbose else {}
    body["text"] = said["text"]
    account: dict[str, Any] = {"cost": usd(cost.total)}
    if result.units.milliseconds:
        account["seconds"] = result.units.milliseconds / 1000
    if usage.input_total or usage.output_total:
        account["input_tokens"] = usage.input_total
        account["output_tokens"] = usage.output_total
        account["total_tokens"] = usage.input_total + usage.output_total
    return msgspec.json.encode({**body, "usage": account})


def result_of(request: TranscriptionRequest, said: Mapping[str, Any], seconds: object, identity: object = None) -> Result:
    """What an upstream heard, in `said["text"]`. `seconds` is its own measure of the sound, if it gives one. Raises MalformedResponse."""
    if not isinstance(said.get("text"), str):
        raise MalformedResponse("the answer holds no text", status=200)
    measured = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < 10**7
    length = round(float(seconds) * 1000) if measured else request.expected.milliseconds  # type: ignore[arg-type]
    return Result(
        said,
        usage=_tokens(said.get("usage")),
        units=Units(milliseconds=length),
        id=identity if isinstance(identity, str) else None,
    )


def _tokens(usage: object) -> Mapping[str, object] | None:
    """Token counts in the names of chat; {} for a usage of another kind, and for none: sound then is charged by its length."""
    if not isinstance(usage, dict):
        return {}
    heard, written = whole_number(usage.get("input_tokens")), whole_number(usage.get("output_tokens"))
    if heard is None or written is None:
        return {}
    details = usage.get("input_token_details")
    audio = whole_number(details.get("audio_tokens")) if isinstance(details, dict) else None
    return {
        "prompt_tokens": heard,
        "completion_tokens": written,
        "prompt_tokens_details": {"audio_tokens": audio},
        "cost": usage.get("cost"),
    }
