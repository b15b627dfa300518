"""A whole answer where a stream was asked for: some servers ignore `stream`. Told as the one chunk that it would have been."""

from collections.abc import Mapping

import msgspec

from trunkline.dialects import loose

_DONE = b"[DONE]"
_encode = msgspec.json.Encoder().encode


def payloads_of(body: bytes) -> list[bytes]:
    """The payloads of the events that say the same as `body`. What is no answer is passed on as it is, for the stream to refuse."""
    try:
        document = loose.decode(body)
    except ValueError:
        return [body]
    if not isinstance(document, dict) or not isinstance(document.get("choices"), list):
        return [body]
    choices = [_delta_choice(choice) for choice in document["choices"] if isinstance(choice, dict)]
    return [_encode({**document, "object": "chat.completion.chunk", "choices": choices}), _DONE]


def _delta_choice(choice: Mapping[str, object]) -> dict[str, object]:
    rest = {key: value for key, value in choice.items() if key != "message"}
    message = choice.get("message")
    delta = dict(message) if isinstance(message, dict) else {}
    calls = delta.get("tool_calls")
    if isinstance(calls, list):
        delta["tool_calls"] = [{"index": index, **call} for index, call in enumerate(calls) if isinstance(call, dict)]
    return {**rest, "delta": delta}
