"""Events of the hub as OpenRouter's chat answer: chunks (contract 2.5) or one body (2.3), in legacy mode as text completions (5.3).

Reasoning goes out twice, as `reasoning` and as `reasoning_details`; the details carry signatures and encrypted data through the client
(contract 2.7).
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct, structs

from trunkline.dialects import envelope
from trunkline.dialects.chat.annotations import shown
from trunkline.dialects.chat.request import ChatRequest
from trunkline.dialects.chat.usage import usage_json
from trunkline.dialects.hub.answer import Answer, AnswerBlock
from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, DeltaKind, Event, Media
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.media import data_url
from trunkline.errors import ApiError
from trunkline.protocol.usage import Cost, Usage

DONE: Final = b"data: [DONE]\n\n"
_RUNNING: Final = b',"finish_reason":null,"native_finish_reason":null}]}\n\n'
_THOUGHTS: Final[dict[DeltaKind, tuple[str, str]]] = {
    "text": ("reasoning.text", "text"),
    "signature": ("reasoning.text", "signature"),
    "summary": ("reasoning.summary", "summary"),
    "data": ("reasoning.encrypted", "data"),
}
"""The type of detail item and its key for each kind of delta."""
_encode = msgspec.json.Encoder().encode


class Place(Struct):
    """Where a block of the stream stands on the wire.

    `slot` is its number among the blocks of its kind, -1 = none yet. `bare`: no arguments were sent; `weighed`: the logprobs that come
    next were.
    """

    start: BlockStart
    slot: int = -1
    bare: bool = True
    weighed: bool = False


class ChatEncoder:
    """Writes one answer for a chat client (`dialects.hub.translation.Encoder`)."""

    def __init__(self, identity: Identity, request: ChatRequest) -> None:
        self._identity = identity
        self._excluded = request.reasoning_excluded
        self._legacy = request.legacy == "text"
        self._lead = _lead(identity, "text_completion" if self._legacy else "chat.completion.chunk")
        self._opening = b"data: " + _encode(self._lead)[:-1] + b',"choices":[{"index":0,' + (b"" if self._legacy else b'"delta":')
        self._places: dict[int, Place] = {}
        self._slots = {"tool_call": 0, "reasoning": 0, "image": 0}
        self._fresh = True

    def feed(self, events: Sequence[Event]) -> bytes:
        """The chunks of further events."""
        out: list[bytes] = []
        for position, event in enumerate(events):
            if isinstance(event, Delta):
                self._delta(event, events[position + 1] if position + 1 < len(events) else None, out)
            elif isinstance(event, BlockStart):
                self._start(event, out)
            elif isinstance(event, BlockStop):
                self._stop(event.index, out)
            elif isinstance(event, Media):
                self._chunk(self._media(event), out)
        return b"".join(out)

    def finish(self, answer: Answer, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The chunk with the finish reason, the one with usage and no choices, and [DONE]."""
        out: list[bytes] = []
        for index in tuple(self._places):
            self._stop(index, out)
        said: dict[str, object] = {"text": ""} if self._legacy else {"delta": self._said({"content": ""})}
        choice = {"index": 0, **said, **_ending(answer)}
        out.append(b"data: %b\n\n" % _encode({**self._lead, "choices": [choice]}))
        last: dict[str, object] = {**self._lead, "service_tier": answer.service_tier, "choices": [], "usage": Raw(usage_json(usage, cost))}
        if metadata is not None:
            last["openrouter_metadata"] = Raw(metadata)
        return b"".join((*out, b"data: ", _encode(last), b"\n\n", DONE))

    def fail(self, error: ApiError) -> bytes:
        """An error chunk with `finish_reason: "error"`, then [DONE]."""
        choice: dict[str, object] = {"index": 0, "text": ""} if self._legacy else {"index": 0, "delta": {"content": ""}}
        choice.update(finish_reason="error", native_finish_reason=None)
        return (
            b"data: %b\n\n" % _encode({**self._lead, "error": envelope.error_object(error), "choices": [choice], **envelope.routed(error)})
            + DONE
        )

    def whole(self, answer: Answer, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The body with usage last."""
        body = self._body(answer, _ending(answer), usage_json(usage, cost))
        if metadata is not None:
            body["openrouter_metadata"] = Raw(metadata)
        return _encode(body)

    def partial(self, answer: Answer, error: ApiError) -> bytes | None:
        """The body of a failed answer that said something: the error is inside the choice (contract 2.5)."""
        if not answer.has_words:
            return None
        answer = structs.replace(answer, blocks=[block for block in answer.blocks if block.kind != "tool_call"])
        native = None if answer.finish is None else answer.finish.native
        ending: dict[str, object] = {"finish_reason": "error", "native_finish_reason": native, "error": envelope.error_object(error)}
        return _encode({**self._body(answer, ending, usage_json(Usage(), Cost())), **envelope.routed(error)})

    def _body(self, answer: Answer, ending: dict[str, object], usage: bytes) -> dict[str, object]:
        said: dict[str, object] = {"text": _text(answer, "text")} if self._legacy else {"message": self._message(answer)}
        entries = [] if self._legacy else _entries(answer)
        choice = {"index": 0, **ending, **said, "logprobs": {"content": entries, "refusal": None} if entries else None}
        return {
            **_lead(self._identity, "text_completion" if self._legacy else "chat.completion"),
            "system_fingerprint": None,
            "service_tier": answer.service_tier,
            "choices": [choice],
            "usage": Raw(usage),
        }

    def _start(self, event: BlockStart, out: list[bytes]) -> None:
        place = self._places[event.index] = Place(event)
        if event.kind == "tool_call":
            slot = self._take(place)
            kind, key = _call_words(event.custom)
            head = {"index": slot, "id": event.id, "type": kind, kind: {"name": event.name, key: ""}}
            self._chunk({"content": None, "tool_calls": [head]} if self._fresh else {"tool_calls": [head]}, out)

    def _take(self, place: Place) -> int:
        """The number of a block among those of its kind; it has one from its first chunk on."""
        if place.slot < 0:
            place.slot = self._slots[place.start.kind]
            self._slots[place.start.kind] += 1
        return place.slot

    def _stop(self, index: int, out: list[bytes]) -> None:
        """The end of a block; a function called without arguments gets `{}`, since an empty string is no JSON."""
        place = self._places.pop(index, None)
        if place is not None and place.start.kind == "tool_call" and place.bare and not place.start.custom:
            self._chunk({"tool_calls": [_arguments(place, "{}")]}, out)

    def _delta(self, event: Delta, follower: Event | None, out: list[bytes]) -> None:
        place = self._places.get(event.index)
        if place is None or not event.text:
            return
        if place.start.kind == "reasoning":
            if not self._excluded:
                self._chunk(_thought(event, place.start, self._take(place)), out)
        elif event.kind == "arguments":
            place.bare = False
            self._chunk({"tool_calls": [_arguments(place, event.text)]}, out)
        elif event.kind == "annotation":
            annotation = shown(event.text)
            if annotation is not None:
                self._chunk({"content": "", "annotations": [annotation]}, out)
        else:
            self._words(place, event, follower, out)

    def _words(self, place: Place, event: Delta, follower: Event | None, out: list[bytes]) -> None:
        """Text or a refusal; the logprobs that follow go out in the same chunk."""
        if event.kind == "text":
            delta: dict[str, object] = {"refusal" if place.start.kind == "refusal" else "content": event.text}
            place.weighed = isinstance(follower, Delta) and follower.kind == "logprobs" and follower.index == event.index
            self._chunk(delta, out, follower if place.weighed and isinstance(follower, Delta) else None)
        elif place.weighed:
            place.weighed = False
        else:
            self._chunk({"content": ""}, out, event)

    def _chunk(self, delta: dict[str, object], out: list[bytes], entries: Delta | None = None) -> None:
        if self._legacy:
            if delta.get("content"):
                out.append(b"%b%b%b" % (self._opening, _encode({"text": delta["content"]})[1:-1], _RUNNING))
            return
        probabilities = b"" if entries is None else b',"logprobs":{"content":%b,"refusal":null}' % entries.text.encode()
        out.append(b"%b%b%b%b" % (self._opening, _encode(self._said(delta)), probabilities, _RUNNING))

    def _said(self, delta: dict[str, object]) -> dict[str, object]:
        """The delta; the first one names the role."""
        if not self._fresh:
            return delta
        self._fresh = False
        return {"role": "assistant", "content": "", **delta}

    def _media(self, event: Media) -> dict[str, object]:
        if event.kind == "audio":
            return {"audio": _sound([event])}
        slot = self._slots["image"]
        self._slots["image"] = slot + 1
        return {"images": [_image(event, slot)]}

    def _message(self, answer: Answer) -> dict[str, object]:
        """The message of a whole answer; keys of what there is not are left out, but for those that every message has."""
        thoughts = [block for block in answer.blocks if block.kind == "reasoning" and any(block.parts.values()) and not self._excluded]
        shown = [block.media for block in answer.blocks if block.media is not None]
        images = [_image(media, slot) for slot, media in enumerate(media for media in shown if media.kind == "image")]
        sounds = [media for media in shown if media.kind == "audio"]
        more = {
            "reasoning_details": [item for place, block in enumerate(thoughts) for item in _details(block, place)],
            "tool_calls": [_call(block) for block in answer.tool_calls],
            "images": images,
            "annotations": _annotations(answer),
            "audio": _sound(sounds) if sounds else None,
        }
        return {
            "role": "assistant",
            "content": _text(answer, "text") or None,
            "refusal": _text(answer, "refusal") or None,
            "reasoning": "".join(block.joined("text") + block.joined("summary") for block in thoughts) or None,
            **{key: value for key, value in more.items() if value},
        }


def _lead(identity: Identity, kind: str) -> dict[str, object]:
    return {"id": identity.id, "object": kind, "created": identity.created, "model": identity.model, "provider": identity.provider}


def _ending(answer: Answer) -> dict[str, object]:
    """The two finish reasons. Calls end an answer with `tool_calls`, whatever else was said (adapters 1.5)."""
    reason = "stop" if answer.finish is None else answer.finish.reason
    called = reason == "stop" and bool(answer.tool_calls)
    native = None if answer.finish is None else answer.finish.native
    return {"finish_reason": "tool_calls" if called else reason, "native_finish_reason": native}


def _call_words(custom: bool) -> tuple[str, str]:
    return ("custom", "input") if custom else ("function", "arguments")


def _arguments(place: Place, text: str) -> dict[str, object]:
    kind, key = _call_words(place.start.custom)
    return {"index": place.slot, kind: {key: text}}


def _thought(event: Delta, start: BlockStart, slot: int) -> dict[str, object]:
    word, key = _THOUGHTS[event.kind]
    item = _item(word, {key: event.text}, start.format, start.id, slot)
    return {"content": "", "reasoning": event.text if event.kind in ("text", "summary") else None, "reasoning_details": [item]}


def _item(word: str, said: dict[str, object], family: str, identifier: str | None, slot: int) -> dict[str, object]:
    named = {} if identifier is None else {"id": identifier}
    return {"type": word, **said, **named, "format": family, "index": slot}


def _details(block: AnswerBlock, slot: int) -> list[dict[str, object]]:
    """The detail items of a reasoning block: text with its signature, a summary, encrypted data."""
    text, signature, summary, data = (block.joined(kind) for kind in ("text", "signature", "summary", "data"))
    items: list[tuple[str, dict[str, object]]] = []
    if text or signature:
        items.append(("reasoning.text", {"text": text, "signature": signature} if signature else {"text": text}))
    if summary:
        items.append(("reasoning.summary", {"summary": summary}))
    if data:
        items.append(("reasoning.encrypted", {"data": data}))
    return [_item(word, said, block.format, block.id, slot) for word, said in items]


def _call(block: AnswerBlock) -> dict[str, object]:
    kind, key = _call_words(block.custom)
    arguments = block.joined("arguments") or ("" if block.custom else "{}")
    return {"id": block.id, "type": kind, kind: {"name": block.name, key: arguments}}


def _text(answer: Answer, kind: str) -> str:
    return "".join(block.joined("text") for block in answer.blocks if block.kind == kind)


def _annotations(answer: Answer) -> list[Raw]:
    """All annotations of an answer that this dialect has."""
    all_of_them = [shown(text) for block in answer.blocks for text in block.parts.get("annotation", ())]
    return [one for one in all_of_them if one is not None]


def _entries(answer: Answer) -> list[Any]:
    """All logprobs of an answer."""
    lists = [msgspec.json.decode(text) for block in answer.blocks for text in block.parts.get("logprobs", ())]
    return [entry for entries in lists if isinstance(entries, list) for entry in entries]


def _image(media: Media, slot: int) -> dict[str, object]:
    url = media.url or data_url(media.media_type or "image/png", media.data)
    return {"type": "image_url", "image_url": {"url": url}, "index": slot}


def _sound(pieces: Sequence[Media]) -> dict[str, object]:
    """Sound from its pieces, each of which is base64 by itself."""
    identifier = next((piece.id for piece in pieces if piece.id), None)
    data = pieces[0].data if len(pieces) == 1 else _joined([piece.data for piece in pieces])
    transcript = "".join(piece.transcript for piece in pieces)
    said = {"id": identifier, "data": data, "transcript": transcript}
    return {key: value for key, value in said.items() if value}


def _joined(pieces: Sequence[str]) -> str:
    try:
        return base64.b64encode(b"".join(base64.b64decode(piece, validate=True) for piece in pieces)).decode()
    except (binascii.Error, ValueError):
        return "".join(pieces)
