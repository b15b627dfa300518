"""A whole answer on its way to the client (contract 2.3): the fold of what `stream` does, through the same reader of choices."""

import msgspec

from trunkline.dialects import envelope, loose
from trunkline.dialects.chat import plain
from trunkline.dialects.chat.account import take_usage
from trunkline.dialects.chat.calls import Call
from trunkline.dialects.chat.choice import ChoiceReader, Piece
from trunkline.dialects.chat.translator import LEAD, Translator
from trunkline.dialects.chat.usage import usage_json, usage_view
from trunkline.dialects.refusals import refusal_of
from trunkline.dialects.tiers import served
from trunkline.errors import ApiError, MalformedResponse, UpstreamError
from trunkline.protocol.usage import Cost, Usage

_encode = msgspec.json.Encoder().encode


class ChatReply(Translator):
    """One answer that was not streamed. `decode` reads it and fills the same facts as `ChatStream`; `encode` writes the client's body.

    `empty`: no content, no call, and no finish reason or a failed one. `error`: the body carries an error, ended with one,
    or is no answer at all.
    """

    kind = "chat.completion"

    def _begin(self) -> None:
        self.empty = False
        self._plain: plain.PlainAnswer | None = None
        self._document: dict[str, object] = {}
        self._readers: list[ChoiceReader] = []

    @property
    def finish_reason(self) -> str | None:
        if self._plain is not None:
            return self._plain.choices[0].finish_reason
        return self._readers[0].finish_reason if self._readers else None

    @property
    def native_finish_reason(self) -> str | None:
        if self._plain is not None:
            return self._plain.choices[0].finish_reason
        return self._readers[0].native_finish_reason if self._readers else None

    @property
    def text_chars(self) -> int:
        if self._plain is not None:
            return len(self._plain.choices[0].message.content)
        return sum(reader.text_chars for reader in self._readers)

    @property
    def output_chars(self) -> int:
        if self._plain is not None:
            return len(self._plain.choices[0].message.content)
        return sum(reader.output_chars for reader in self._readers)

    @property
    def tool_calls(self) -> list[Call]:
        """The calls of functions; the free text of a custom tool can't be checked."""
        return [call for reader in self._readers for call in reader.assembler.calls if not call.custom]

    def decode(self, body: bytes) -> None:
        """Read the upstream's body. It raises nothing: what is wrong with it is in `error`, or `empty`."""
        self._plain = plain.read(body) if self._plain_ones else None
        if self._plain is not None:
            self.usage = self._plain.usage
            self.upstream_id = self._plain.id or None
            self.service_tier = served(self._plain.service_tier)
            return
        self._decode_fully(body)

    def _decode_fully(self, body: bytes) -> None:
        try:
            document = loose.decode(body)
        except ValueError as error:
            self.error = MalformedResponse(f"The answer is not JSON: {error}")
            return
        if not isinstance(document, dict):
            self.error = MalformedResponse("The answer is not a JSON object")
            return
        self.error = refusal_of(document)
        if self.error is not None:
            return
        self.usage = take_usage(document, tuple(self._quirks.usage_path.split(".")))
        choices = document.get("choices")
        if not isinstance(choices, list):
            self.error = MalformedResponse("The answer has no choices")
            return
        identifier, tier = document.get("id"), document.get("service_tier")
        self.upstream_id = identifier if isinstance(identifier, str) and identifier else None
        self.service_tier = served(tier)
        kept = [self._choice(choice, index) for index, choice in enumerate(choices) if isinstance(choice, dict)]
        lead = dict(zip(LEAD, self._identity, strict=True))
        for key in LEAD:
            document.pop(key, None)
        self._document = {**lead, "system_fingerprint": None, **document, "service_tier": self.service_tier, "choices": kept}
        self.empty = not self.output_chars and all(_blank(reader) for reader in self._readers)
        if self.finish_reason == "error":
            self.error = _told(choices) or MalformedResponse(f"The upstream ended its answer with {self.native_finish_reason!r}")

    def encode(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The client's body with usage last. `metadata` is `openrouter_metadata` as JSON."""
        if self._plain is not None:
            body = plain.write(self._plain, self._identity, usage_json(usage, cost))
            return body if metadata is None else b'%b,"openrouter_metadata":%b}' % (body[:-1], metadata)
        last: dict[str, object] = {"usage": usage_view(usage, cost)}
        if metadata is not None:
            last["openrouter_metadata"] = msgspec.Raw(metadata)
        return _encode({**self._document, **last})

    def partial(self, error: ApiError) -> bytes | None:
        """The client's body of a failed answer that said something: what it said, and the error inside each choice that has none of its
        own end (contract 2.5)."""
        choices = self._document.get("choices")
        if not self.text_chars or not isinstance(choices, list):
            return None
        told = envelope.error_object(error)
        ended = [{**_without_calls(one), "error": told} if one["finish_reason"] == "error" else one for one in choices]
        return _encode({**self._document, "choices": ended, "usage": usage_view(Usage(), Cost()), **envelope.routed(error)})

    def _choice(self, choice: dict[str, object], position: int) -> dict[str, object]:
        index = choice.get("index")
        index = index if isinstance(index, int) else position
        seed = f"{self._generation_id}:{index}"
        reader = ChoiceReader(self._quirks, seed=seed, excluded=self._excluded, forced_tool=self._forced_tool)
        self._readers.append(reader)
        message = choice.get("message")
        piece = reader.read(message if isinstance(message, dict) else {})
        reader.account(piece)
        native = "error" if choice.get("error") else choice.get("native_finish_reason") or choice.get("finish_reason")
        rest = reader.close(native if isinstance(native, str) else None)
        reader.account(rest)
        piece.join(rest)
        known = ("index", "message", "finish_reason", "native_finish_reason")
        return {
            "index": index,
            "finish_reason": reader.finish_reason,
            "native_finish_reason": reader.native_finish_reason,
            **({"text": piece.text} if self._legacy else {"message": _message(piece, reader)}),
            **{key: value for key, value in choice.items() if key not in known},
        }


def _told(choices: list[object]) -> UpstreamError | None:
    """The error inside the first choice, where the upstream is a gateway too."""
    first = choices[0] if choices else None
    return refusal_of(first) if isinstance(first, dict) and first.get("error") else None


def _without_calls(choice: dict[str, object]) -> dict[str, object]:
    """A choice that failed: its calls may be cut, and nobody may make them."""
    message = choice.get("message")
    if not isinstance(message, dict):
        return choice
    return {**choice, "message": {key: value for key, value in message.items() if key != "tool_calls"}}


def _message(piece: Piece, reader: ChoiceReader) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": None, "refusal": None, "reasoning": None, **piece.delta}
    items = message.pop("tool_calls", None)
    if reader.assembler.calls:
        message["tool_calls"] = fold_calls(items if isinstance(items, list) else [], reader.assembler.calls)
    return message


def fold_calls(items: list[dict[str, object]], calls: list[Call]) -> list[dict[str, object]]:
    """Deltas of tool calls as whole calls: the first item of each, without its index, with all its arguments."""
    folded: dict[object, dict[str, object]] = {}
    for item in items:
        folded.setdefault(item["index"], {key: value for key, value in item.items() if key != "index"})
    for call in calls:
        kind, key = ("custom", "input") if call.custom else ("function", "arguments")
        function = folded[call.slot].get(kind)
        folded[call.slot][kind] = {**(function if isinstance(function, dict) else {}), key: call.arguments}
    return list(folded.values())


def _blank(reader: ChoiceReader) -> bool:
    said = reader.assembler.calls or reader.bore_other
    return not said and (reader.native_finish_reason in (None, "") or reader.finish_reason == "error")
