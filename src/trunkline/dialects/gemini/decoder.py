"""Answers of generateContent as the nine events. A stream has no end marker: it ends with the connection, after a `finishReason`."""

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Raw

from trunkline.dialects import loose
from trunkline.dialects.gemini import DIALECT, FORMAT, evidence
from trunkline.dialects.gemini.finish import UNSAID, failure_of, reason_of
from trunkline.dialects.gemini.reply import Blob, Call, Candidate, Document, Part, read
from trunkline.dialects.gemini.tools import INPUT, ToolNames
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.events import (
    BlockKind,
    BlockStart,
    BlockStop,
    Delta,
    Event,
    Failure,
    Finish,
    Media,
    OpaqueEvent,
    Start,
    UsageSeen,
)
from trunkline.dialects.refusals import refusal_of
from trunkline.errors import MalformedResponse, UpstreamError
from trunkline.protocol.catalogue import Endpoint

QUERIES = "webSearchQueries"
"""The key under which the number of web searches is added to the raw usage."""

_TIERS = {
    **{"standard": "default", "flex": "flex", "priority": "priority"},
    **{"ON_DEMAND": "default", "ON_DEMAND_FLEX": "flex", "ON_DEMAND_PRIORITY": "priority"},
}
_SERVER_PARTS = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")


class GeminiDecoder:
    """Reads one answer. `seed` mints the ids of calls that have none, the same for the same answer."""

    def __init__(self, endpoint: Endpoint, conversation: Conversation, *, seed: str) -> None:
        self.done = False
        self._conversation = conversation
        self._names: ToolNames | None = None
        self._seed = seed
        self._started = False
        self._finished = False
        self._next = 0
        self._open: tuple[int, BlockKind] | None = None
        self._calls = 0
        self._text: list[str] = []
        self._cited: set[bytes] = set()

    def feed(self, payloads: Sequence[bytes]) -> list[Event]:
        """The events of further payloads."""
        out: list[Event] = []
        for payload in payloads:
            if self.done:
                break
            if payload.strip() and payload != b"[DONE]":
                self._read(payload, out)
        return out

    def close(self) -> list[Event]:
        """Stops what is open."""
        out: list[Event] = []
        if not self.done:
            self._stop(out)
        self.done = True
        return out

    def whole(self, body: bytes) -> list[Event]:
        """The events of a complete answer, also of one that came as an array of pieces."""
        out: list[Event] = []
        self._read(body, out)
        return out + self.close()

    def _read(self, payload: bytes, out: list[Event]) -> None:
        try:
            documents = read(payload)
        except MalformedResponse as error:
            self._fail(error, out)
            return
        for document in documents:
            if not self.done:
                self._document(document, out)

    def _document(self, document: Document, out: list[Event]) -> None:
        if document.error:
            error = refusal_of({"error": document.error})
            self._fail(error or MalformedResponse("the upstream sent an error without a word"), out)
            return
        if not self._started:
            self._started = True
            out.append(Start(document.responseId))
        candidate = next((one for one in document.candidates or () if not one.index), None)
        sources = evidence.grounding(candidate.groundingMetadata) if candidate is not None else None
        searches = len(sources.webSearchQueries) if sources is not None else 0
        if document.usageMetadata or searches:
            out.append(_usage(document.usageMetadata or {}, searches))
        if candidate is not None:
            self._candidate(candidate, sources, out)
        elif document.promptFeedback is not None and document.promptFeedback.blockReason not in UNSAID:
            self._finish(Finish("content_filter", document.promptFeedback.blockReason), out)

    def _candidate(self, candidate: Candidate, sources: evidence.Grounding | None, out: list[Event]) -> None:
        """One piece of the answer. A failed one gives nothing away: its calls must not be made, and another endpoint may answer."""
        native = None if candidate.finishReason in UNSAID else candidate.finishReason
        failure = failure_of(native, candidate.finishMessage) if native is not None else None
        if failure is not None:
            self._fail(failure, out)
            return
        for part in (candidate.content.parts if candidate.content else None) or ():
            self._part(part, out)
        likely = evidence.probabilities(candidate.logprobsResult)
        if likely is not None and likely.chosenCandidates:
            out.append(Delta(self._block("text", out), "logprobs", evidence.logprobs(likely).decode()))
        if sources is not None:
            self._cite(sources, out)
        if native is not None:
            self._finish(Finish(reason_of(native, called=self._calls > 0), native), out)

    def _part(self, part: Part, out: list[Event]) -> None:
        if part.thought:
            self._thought(part, out)
        elif part.functionCall is not None:
            self._call(part.functionCall, part.thoughtSignature, out)
        elif not self._served(part, out):
            if part.thoughtSignature:
                self._sign(None, part.thoughtSignature, out)
            if part.text:
                self._text.append(part.text)
                out.append(Delta(self._block("text", out), "text", part.text))
            elif part.inlineData is not None:
                self._stop(out)
                out.append(_media(part.inlineData))
            elif part.fileData is not None:
                self._stop(out)
                out.append(Media("image", media_type=part.fileData.mimeType, url=part.fileData.fileUri))

    def _thought(self, part: Part, out: list[Event]) -> None:
        """A thought, with its own signature where it has one. Pictures of thoughts are drafts and left out."""
        if not part.text and not part.thoughtSignature:
            return
        index = self._block("reasoning", out)
        if part.text:
            out.append(Delta(index, "text", part.text))
        if part.thoughtSignature:
            out.append(Delta(index, "signature", part.thoughtSignature))
            self._stop(out)

    def _call(self, call: Call, signature: str | None, out: list[Event]) -> None:
        """A call comes in one piece, and each counts for itself, however many there are in an event."""
        identifier = call.id or self._minted()
        self._calls += 1
        if signature:
            self._sign(identifier, signature, out)
        names = self._names = self._names or ToolNames(self._conversation)
        name = names.original(call.name or "")
        custom = name in names.custom
        self._stop(out)
        index = self._new()
        out.append(BlockStart(index, "tool_call", id=identifier, name=name, custom=custom))
        out.append(Delta(index, "arguments", _free_text(call.args) if custom else _arguments(call.args)))
        out.append(BlockStop(index))

    def _served(self, part: Part, out: list[Event]) -> bool:
        """Whether it is a part of a server tool, which goes to clients of this dialect only, with its signature."""
        fields = {name: getattr(part, name) for name in _SERVER_PARTS if getattr(part, name)}
        if not fields:
            return False
        if part.thoughtSignature:
            fields["thoughtSignature"] = part.thoughtSignature
        self._stop(out)
        out.append(OpaqueEvent(DIALECT, Raw(msgspec.json.encode(fields))))
        return True

    def _sign(self, identifier: str | None, signature: str, out: list[Event]) -> None:
        self._stop(out)
        index = self._new()
        out.append(BlockStart(index, "reasoning", id=identifier, format=FORMAT))
        out.append(Delta(index, "data", signature))
        out.append(BlockStop(index))

    def _cite(self, sources: evidence.Grounding, out: list[Event]) -> None:
        if not sources.groundingChunks:
            return
        for annotation in evidence.citations(sources, "".join(self._text)):
            if annotation not in self._cited:
                self._cited.add(annotation)
                out.append(Delta(self._block("text", out), "annotation", annotation.decode()))

    def _block(self, kind: BlockKind, out: list[Event]) -> int:
        """The open block of this kind, opened now where another or none is."""
        if self._open is not None and self._open[1] == kind:
            return self._open[0]
        self._stop(out)
        index = self._new()
        self._open = (index, kind)
        out.append(BlockStart(index, kind, format=FORMAT if kind == "reasoning" else "unknown"))
        return index

    def _stop(self, out: list[Event]) -> None:
        if self._open is not None:
            out.append(BlockStop(self._open[0]))
            self._open = None

    def _new(self) -> int:
        self._next += 1
        return self._next - 1

    def _minted(self) -> str:
        return "call_" + hashlib.sha256(f"{self._seed}:{self._calls}".encode()).hexdigest()[:24]

    def _finish(self, finish: Finish, out: list[Event]) -> None:
        """Usage may still come after it, so it is not the end of reading."""
        self._stop(out)
        if not self._finished:
            self._finished = True
            out.append(finish)

    def _fail(self, error: UpstreamError, out: list[Event]) -> None:
        if not self._finished:
            out.append(Failure(error))
        self.done = True


def _usage(raw: dict[str, object], searches: int) -> UsageSeen:
    tier = raw.get("serviceTier") or raw.get("trafficType")
    return UsageSeen({**raw, QUERIES: searches} if searches else raw, _TIERS.get(tier) if isinstance(tier, str) else None)


def _media(blob: Blob) -> Media:
    kind: Literal["image", "audio"] = "audio" if blob.mimeType.startswith("audio/") else "image"
    return Media(kind, media_type=blob.mimeType, data=blob.data)


def _arguments(arguments: Raw) -> str:
    """The arguments as they came; an absent object is an empty one."""
    text = bytes(arguments).decode("utf-8", "replace")
    return "{}" if text in ("", "null") else text


def _free_text(arguments: Raw) -> str:
    """What a stand-in function for a tool of free text was given."""
    try:
        value = loose.decode(bytes(arguments))
    except ValueError:
        value = None
    text = value.get(INPUT) if isinstance(value, dict) else None
    return text if isinstance(text, str) else _arguments(arguments)
