"""A streamed answer on its way to the client (contract 2.5): upstream payloads in, OpenRouter's events out, facts beside.

Nothing goes out before the first content (adapters 4.3): until `committed` another endpoint may answer instead.
"""

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from trunkline.dialects import envelope, loose
from trunkline.dialects.chat import plain_event, splice
from trunkline.dialects.chat.account import merge_usage, take_usage
from trunkline.dialects.chat.calls import Call
from trunkline.dialects.chat.choice import ChoiceReader, Piece
from trunkline.dialects.chat.translator import LEAD, Translator
from trunkline.dialects.chat.unstreamed import payloads_of
from trunkline.dialects.chat.usage import usage_view
from trunkline.dialects.refusals import refusal_of
from trunkline.dialects.tiers import served
from trunkline.errors import ApiError, MalformedResponse
from trunkline.protocol.usage import Cost, Usage

DONE = b"data: [DONE]\n\n"
_HELD_LIMIT = 16
_TRIES = 4
_STANDARD = frozenset((*LEAD, "choices", "system_fingerprint", "service_tier", "obfuscation"))
_encode = msgspec.json.Encoder().encode


class ChatStream(Translator):
    """One streamed answer.

    Facts beside those of `Translator`: `committed`; `done` ([DONE] was seen); `finish_reason` and `native_finish_reason` (None until the
    upstream gave one); `text_chars` and `output_chars` (characters of text; of text, reasoning and arguments); `tool_calls`.
    """

    kind = "chat.completion.chunk"

    def _begin(self) -> None:
        self.committed = False
        self.done = False
        self._usage_path = tuple(self._quirks.usage_path.split("."))
        self._lead: dict[str, object] = dict(zip(LEAD, self._identity, strict=True))
        self._readers: dict[int, ChoiceReader] = {}
        self._held: list[bytes] = []
        self._template: splice.Template | None = None
        self._reader: ChoiceReader | None = None
        self._call: Call | None = None
        self._learned = 0
        self._spliced = 0

    @property
    def finish_reason(self) -> str | None:
        ended = self._ended
        return None if ended is None else ended.finish_reason

    @property
    def native_finish_reason(self) -> str | None:
        ended = self._ended
        return None if ended is None else ended.native_finish_reason

    @property
    def _ended(self) -> ChoiceReader | None:
        """The first choice that has a finish reason."""
        for reader in self._readers.values():
            if reader.finish_reason:
                return reader
        return None

    @property
    def text_chars(self) -> int:
        return sum(reader.text_chars for reader in self._readers.values())

    @property
    def output_chars(self) -> int:
        return sum(reader.output_chars for reader in self._readers.values())

    @property
    def tool_calls(self) -> list[Call]:
        """The calls of functions; the free text of a custom tool can't be checked."""
        return [call for reader in self._readers.values() for call in reader.assembler.calls if not call.custom]

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        """Take the payloads of the events of one read; returns the client's bytes, b"" while nothing may go out.

        After `error` is set nothing more is read, and what the same call had read before goes out with `fail`.
        """
        out: list[bytes] = []
        position, size = 0, len(payloads)
        while position < size and not self.done and self.error is None:
            copied = self._copy(self._template, payloads, position, out) if self._template is not None else 0
            if copied:
                position += copied
                self._spliced += copied
                continue
            self._read(payloads[position], out)
            position += 1
        if self.error is not None:
            self._held.extend(out)
            return b""
        return b"".join(out)

    def unstreamed(self, body: bytes) -> bytes:
        """Take a complete answer that came in place of a stream."""
        return self.feed(payloads_of(body))

    def end(self) -> bytes:
        """The connection has ended: what was held back is told by `[DONE]` alone, since without it the answer may be cut."""
        return b""

    def finish(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The last events: one chunk with usage and no choices, then [DONE]. `metadata` is `openrouter_metadata` as JSON."""
        last: dict[str, object] = {**self._lead, "service_tier": self.service_tier, "choices": []}
        last["usage"] = usage_view(usage, cost)
        if metadata is not None:
            last["openrouter_metadata"] = msgspec.Raw(metadata)
        return b"".join((*self._release(), b"data: ", _encode(last), b"\n\n", DONE))

    def fail(self, error: ApiError) -> bytes:
        """The events that end a stream that went wrong after content had gone out: an error chunk with `finish_reason: "error"`, then
        [DONE]."""
        choice: dict[str, object] = {"index": 0, "text": ""} if self._legacy else {"index": 0, "delta": {"content": ""}}
        choice["finish_reason"] = "error"
        choice["native_finish_reason"] = self.native_finish_reason
        chunk = {**self._lead, "error": envelope.error_object(error), "choices": [choice], **envelope.routed(error)}
        return b"".join((*self._release(), b"data: ", _encode(chunk), b"\n\n", DONE))

    def _release(self) -> list[bytes]:
        held, self._held = self._held, []
        return held

    def _copy(self, template: splice.Template, payloads: Sequence[bytes], start: int, out: list[bytes]) -> int:
        """Send on what fits the template, and count it; returns how many payloads did."""
        copied, text = template.run(payloads, start, out)
        reader = self._reader
        if not copied or reader is None:
            return copied
        if template.slot == "arguments" and self._call is not None:
            reader.add_arguments(self._call, text)
        else:
            reader.output_chars += len(text)
            reader.text_chars += len(text) if template.slot == "content" else 0
        return copied

    def _read(self, payload: bytes, out: list[bytes]) -> None:
        """An event that fits no template."""
        if payload == b"[DONE]":
            self.done = True
            self._end(out)
        elif not (self._plain_ones and self._read_plain(payload, out)):
            self._read_fully(payload, out)

    def _read_plain(self, payload: bytes, out: list[bytes]) -> bool:
        """The short way for the events that most upstreams send; False, and nothing happened, for another."""
        event = plain_event.read(payload)
        if event is None:
            return False
        part = event.choices[0] if event.choices else None
        reader = self._reader_of(0) if part is not None else None
        if reader is not None and (reader.assembler.calls or reader.finish_reason is not None):
            return False
        if event.usage:
            self.usage = merge_usage(self.usage, event.usage)
        self._note(event.id, event.service_tier)
        if part is not None and reader is not None:
            self._read_part(payload, event, part, reader, out)
        return True

    def _read_part(
        self, payload: bytes, event: plain_event.PlainEvent, part: plain_event.PlainPart, reader: ChoiceReader, out: list[bytes]
    ) -> None:
        text, ended = part.text, part.finish_reason is not None
        cut = self._cut(payload, "content", reader) if text and not ended and not event.usage else None
        if cut is not None:
            part.delta.content = splice.SENTINEL
            self._follow(splice.template(cut, "content", plain_event.write(event, part, self._identity)), reader, payload, out)
            return
        reader.text_chars += len(text)
        reader.output_chars += len(text)
        if ended:
            self._close(reader, Piece({}), part.finish_reason)
        self._emit(plain_event.write(event, part, self._identity), bool(text) or ended, out)

    def _read_fully(self, payload: bytes, out: list[bytes]) -> None:
        """The full way: decode, normalise, encode."""
        try:
            chunk = loose.decode(payload)
        except ValueError as error:
            self.error = MalformedResponse(f"An event of the stream is not JSON: {error}")
            return
        if not isinstance(chunk, dict):
            return
        self.error = refusal_of(chunk)
        if self.error is not None:
            return
        slot = splice.plain_slot(chunk)
        if slot is not None:
            if self._learn(payload, chunk, slot, out):
                return
            chunk = cast(dict[str, object], loose.decode(payload))
        event, bears = self._rewrite(chunk)
        if self.error is None:
            self._emit(event, bears, out)

    def _emit(self, event: bytes | None, bears: bool, out: list[bytes]) -> None:
        if bears and not self.committed:
            self.committed = True
            out.extend(self._release())
        if event is None:
            return
        if self.committed:
            out.append(event)
        elif len(self._held) < _HELD_LIMIT:
            self._held.append(event)

    def _rewrite(self, chunk: dict[str, object], *, probe: bool = False) -> tuple[bytes | None, bool]:
        """The client's event for a chunk, None when nothing is left of it, and whether it bears content. A probe is not counted."""
        usage = take_usage(chunk, self._usage_path)
        if usage is not None:
            self.usage = merge_usage(self.usage, usage)
        self._note(chunk.get("id"), chunk.get("service_tier"))
        if "service_tier" in chunk:
            chunk["service_tier"] = served(chunk["service_tier"])
        choices = chunk.get("choices")
        bears = False
        kept: list[object] = []
        for position, choice in enumerate(choices if isinstance(choices, list) else ()):
            if isinstance(choice, dict):
                bears = self._rewrite_choice(choice, position, kept, probe=probe) or bears
        chunk["choices"] = kept
        if not kept and not any(value for key, value in chunk.items() if key not in _STANDARD):
            return None, bears
        return self._event(chunk), bears

    def _note(self, identifier: object, tier: object) -> None:
        if self.upstream_id is None and isinstance(identifier, str) and identifier:
            self.upstream_id = identifier
        self.service_tier = served(tier) or self.service_tier

    def _rewrite_choice(self, choice: dict[str, object], position: int, kept: list[object], *, probe: bool) -> bool:
        index = choice.get("index")
        index = index if isinstance(index, int) else position
        reader = self._reader_of(index)
        delta = choice.get("delta")
        piece = reader.read(delta if isinstance(delta, dict) else {})
        if not probe:
            reader.account(piece)
        native = choice.get("finish_reason")
        ended = reader.finish_reason is None and isinstance(native, str) and native != ""
        if ended:
            own = choice.get("native_finish_reason")
            self._close(reader, piece, own if isinstance(own, str) else str(native))
        elif reader.finish_reason is not None and not piece.bears_content:
            return False
        elif piece.thought and not any(piece.delta.values()):
            return True
        kept.append(self._choice(choice, index, piece, reader if ended else None))
        return piece.bears_content or ended

    def _close(self, reader: ChoiceReader, piece: Piece, native: str | None) -> None:
        self._template = None
        rest = reader.close(native)
        reader.account(rest)
        piece.join(rest)
        if reader.finish_reason == "error":
            self.error = MalformedResponse(f"The upstream ended its answer with {native!r}")

    def _choice(self, choice: dict[str, object], index: int, piece: Piece, ended: ChoiceReader | None) -> dict[str, object]:
        rest = {key: value for key, value in choice.items() if key not in ("index", "delta", "finish_reason", "native_finish_reason")}
        said: dict[str, object] = {"delta": piece.delta}
        if self._legacy:
            said = {"text": piece.text}
        return {
            "index": index,
            **said,
            **rest,
            "finish_reason": ended.finish_reason if ended else None,
            "native_finish_reason": ended.native_finish_reason if ended else None,
        }

    def _event(self, chunk: dict[str, object]) -> bytes:
        chunk.pop("obfuscation", None)
        for key in self._lead:
            chunk.pop(key, None)
        return b"data: %b\n\n" % _encode({**self._lead, **chunk})

    def _end(self, out: list[bytes]) -> None:
        """[DONE] without a finish reason, after content: some servers never give one, so the answer is complete."""
        self._template = None
        for index, reader in self._readers.items():
            if reader.finish_reason is None and (self.committed or reader.holds_back):
                piece = Piece({})
                self._close(reader, piece, None)
                self._emit(self._event({"choices": [self._choice({}, index, piece, reader)]}), True, out)

    def _reader_of(self, index: int) -> ChoiceReader:
        reader = self._readers.get(index)
        if reader is None:
            seed = f"{self._generation_id}:{index}"
            reader = ChoiceReader(self._quirks, seed=seed, excluded=self._excluded, forced_tool=self._forced_tool)
            self._readers[index] = reader
        return reader

    def _learn(self, payload: bytes, chunk: dict[str, Any], slot: str, out: list[bytes]) -> bool:
        """Make a template of a plain event and send the event by it. Its chunk is spoiled."""
        reader = self._reader_of(_place_of(chunk))
        cut = self._cut(payload, slot, reader)
        if cut is None:
            return False
        if slot == "arguments":
            self._call = reader.assembler.at(chunk["choices"][0]["delta"]["tool_calls"][0]["index"])
            if self._call is None:
                return False
        splice.mark(chunk, slot)
        event, _ = self._rewrite(chunk, probe=True)
        template = splice.template(cut, slot, event) if event is not None else None
        if template is not None:
            self._follow(template, reader, payload, out)
        return template is not None

    def _cut(self, payload: bytes, slot: str, reader: ChoiceReader) -> splice.Cut | None:
        """The cut for a new template, unless templates keep being of no use."""
        self._template = None
        if self._learned > _TRIES + self._spliced // _TRIES or not reader.plain:
            return None
        cut = splice.cut(payload, slot)
        self._learned += cut is not None
        return cut

    def _follow(self, template: splice.Template | None, reader: ChoiceReader, payload: bytes, out: list[bytes]) -> None:
        """Use a template from here on, beginning with the event that it was made of."""
        self._template, self._reader = template, reader
        if template is not None:
            self._emit(None, True, out)
            self._copy(template, (payload,), 0, out)


def _place_of(chunk: dict[str, Any]) -> int:
    index = chunk["choices"][0].get("index")
    return index if isinstance(index, int) else 0
