"""The answer of a chat upstream as events of the hub, for clients of other dialects.

Choices are read by the same reader as in a pass-through (`choice`), so that every quirk of reasoning, tags, calls and finish words is known
once. Only the first choice counts: the hub has one answer.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from trunkline.dialects import loose
from trunkline.dialects.chat import brief_event
from trunkline.dialects.chat.account import take_usage
from trunkline.dialects.chat.blocks import Blocks
from trunkline.dialects.chat.choice import ChoiceReader, Piece
from trunkline.dialects.chat.offers import emulated, tool_names
from trunkline.dialects.chat.thoughts import GEMINI, call_signature
from trunkline.dialects.chat.unstreamed import payloads_of
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.events import Event, Failure, Finish, Media, Start, UsageSeen
from trunkline.dialects.media import split_data_url
from trunkline.dialects.refusals import refusal_of
from trunkline.errors import MalformedResponse, UpstreamError
from trunkline.protocol.catalogue import Endpoint

_DONE = b"[DONE]"


class ChatDecoder:
    """Reads one answer (`dialects.hub.translation.Decoder`). `seed` makes the ids of calls that have none."""

    def __init__(self, endpoint: Endpoint, conversation: Conversation, *, seed: str) -> None:
        quirks = endpoint.quirks
        self.done = False
        forced = quirks.tools == "schema" and conversation.tool_choice.mode in ("required", "function")
        self._reader = ChoiceReader(quirks, seed=f"{seed}:0", excluded=False, forced_tool="" if forced else None)
        self._blocks = Blocks(tool_names(conversation), emulated(conversation.tools))
        self._usage_path = tuple(quirks.usage_path.split("."))
        self._brief_ones = quirks.usage_path == "usage"
        self._began = False
        self._over = False
        self._finished = False

    def feed(self, payloads: Sequence[bytes]) -> list[Event]:
        """The events of these payloads. After a `Failure` nothing more is read."""
        for payload in payloads:
            if self.done or self._over:
                break
            if payload == _DONE:
                self._end()
            elif not (self._brief_ones and self._read_briefly(payload)):
                self._read(payload)
        return self._blocks.taken()

    def close(self) -> list[Event]:
        """The connection has ended: text and reasoning that were held back."""
        if self._reader.finish_reason is None and not self._over:
            rest = self._reader.close(None)
            self._tell(Piece(rest.delta, rest.text, rest.thought))
        self._over = True
        return self._blocks.taken()

    def whole(self, body: bytes) -> list[Event]:
        """The events of an answer that was not streamed."""
        try:
            document = loose.decode(body)
        except ValueError as error:
            return [Failure(MalformedResponse(f"The answer is not JSON: {error}"))]
        if not isinstance(document, dict):
            return [Failure(MalformedResponse("The answer is not a JSON object"))]
        refusal = refusal_of(document)
        if refusal is not None:
            return [Failure(refusal)]
        if not isinstance(document.get("choices"), list):
            return [Failure(MalformedResponse("The answer has no choices"))]
        return self.feed(payloads_of(body))

    def _read_briefly(self, payload: bytes) -> bool:
        """The short way for the common events; False, and nothing happened, for another."""
        reader = self._reader
        delta = brief_event.read(payload) if self._began and reader.finish_reason is None else None
        if delta is None or (delta.content and not reader.plain):
            return False
        call = None
        for item in delta.tool_calls or ():
            call = reader.assembler.at(item.index)
            if call is None:
                return False
        if delta.thought:
            self._blocks.think(delta.thought)
        if delta.content:
            self._blocks.say("text", delta.content)
        if call is not None and delta.tool_calls:
            arguments = delta.tool_calls[0].function.arguments
            reader.add_arguments(call, arguments)
            self._blocks.call(call, arguments)
        return True

    def _read(self, payload: bytes) -> None:
        try:
            chunk = loose.decode(payload)
        except ValueError as error:
            self._fail(MalformedResponse(f"An event of the stream is not JSON: {error}"))
            return
        if not isinstance(chunk, dict):
            return
        refusal = refusal_of(chunk)
        if refusal is not None:
            self._fail(refusal)
            return
        self._note(chunk)
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and choice.get("index", 0) in (0, None):
                self._read_choice(choice)
                break

    def _note(self, chunk: dict[str, Any]) -> None:
        identifier, tier = chunk.get("id"), chunk.get("service_tier")
        if not self._began:
            self._began = True
            self._blocks.events.append(Start(identifier if isinstance(identifier, str) and identifier else None))
        usage = take_usage(chunk, self._usage_path)
        tier = tier if isinstance(tier, str) and tier else None
        if usage is not None or tier is not None:
            self._blocks.events.append(UsageSeen(usage or {}, tier))

    def _read_choice(self, choice: dict[str, Any]) -> None:
        reader = self._reader
        if reader.finish_reason is not None:
            return
        delta = choice.get("delta")
        piece = reader.read(delta if isinstance(delta, dict) else {})
        reader.account(piece)
        self._tell(piece, choice.get("logprobs"))
        native = choice.get("finish_reason")
        if not isinstance(native, str) or not native:
            return
        own, stop = choice.get("native_finish_reason"), choice.get("stop_reason")
        refusal = refusal_of(choice) if choice.get("error") else None
        self._finish(own if isinstance(own, str) and own else native, stop if isinstance(stop, str) else None, refusal)

    def _finish(self, native: str | None, stop: str | None = None, refusal: UpstreamError | None = None) -> None:
        rest = self._reader.close(native)
        self._tell(rest)
        nameless = self._blocks.nameless
        self._blocks.end()
        reason = self._reader.finish_reason
        if refusal is not None:
            self._fail(refusal)
        elif nameless:
            self._fail(MalformedResponse("A tool call has no name"))
        elif reason == "error" or reason is None:
            self._fail(MalformedResponse(f"The upstream ended its answer with {native!r}"))
        else:
            self._finished = True
            self._blocks.events.append(Finish(reason, native, stop))  # type: ignore[arg-type]

    def _end(self) -> None:
        """[DONE]; without a finish reason, after content, the answer is complete: some servers never give one."""
        self.done = True
        if self._reader.finish_reason is None and (self._blocks.begun or self._reader.holds_back):
            self._finish(None)

    def _fail(self, error: UpstreamError) -> None:
        """The answer has failed, unless it was complete before."""
        if not self._finished:
            self._over = True
            self._blocks.events.append(Failure(error))

    def _tell(self, piece: Piece, logprobs: object = None) -> None:
        delta = piece.delta
        self._tell_thoughts(piece)
        if piece.text:
            self._blocks.say("text", piece.text)
        if isinstance(logprobs, dict) and logprobs.get("content"):
            self._blocks.say("text", msgspec.json.encode(logprobs["content"]).decode(), what="logprobs")
        for annotation in _objects(delta.get("annotations")):
            self._blocks.say("text", msgspec.json.encode(annotation).decode(), what="annotation")
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            self._blocks.say("refusal", refusal)
        for image in _objects(delta.get("images")):
            self._show(image)
        audio = delta.get("audio")
        if isinstance(audio, dict) and audio:
            self._sound(audio)
        for (call, _), item in zip(piece.calls, _objects(delta.get("tool_calls")), strict=False):
            signature = call_signature(item)
            if signature is not None:
                self._blocks.detail({"type": "reasoning.encrypted", "data": signature, "id": call.id, "format": GEMINI})
        for call, arguments in piece.calls:
            self._blocks.call(call, arguments)

    def _tell_thoughts(self, piece: Piece) -> None:
        items = _objects(piece.delta.get("reasoning_details"))
        if piece.thought and not any(item.get("text") or item.get("summary") for item in items):
            self._blocks.think(piece.thought)
        for item in items:
            self._blocks.detail(item)

    def _show(self, image: dict[str, Any]) -> None:
        place = image.get("image_url")
        url = place.get("url") if isinstance(place, dict) else place
        if not isinstance(url, str) or not url:
            return
        inline = split_data_url(url)
        media = Media("image", url=url) if inline is None else Media("image", media_type=inline[0], data=inline[1])
        self._blocks.show(media)

    def _sound(self, audio: dict[str, Any]) -> None:
        data, transcript, identifier = (_word(audio.get(key)) for key in ("data", "transcript", "id"))
        if data or transcript or identifier:
            self._blocks.show(Media("audio", data=data, transcript=transcript, id=identifier or None))


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
