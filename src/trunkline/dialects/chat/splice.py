"""The fast way for a stream of plain deltas: learn the constant bytes around one string of an event, and copy only that string
afterwards.

A template is learned from an event that took the full way. It fits another event when head and tail are the same bytes and what lies
between is the inside of one valid JSON string, so such an event can differ in nothing but that string.
"""

import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct

SENTINEL = "\ue000trunkline\ue001"
_SENTINEL_BYTES = SENTINEL.encode()
_INSIDE = re.compile(rb'(?:[^"\\]|\\.)*')
_NOISE = re.compile(rb'"obfuscation"\s*:\s*"([A-Za-z0-9]*)"')
_KEYS = {key: re.compile(rb'"%s"\s*:\s*"' % key.encode()) for key in ("content", "reasoning", "reasoning_content", "arguments")}
_text = msgspec.json.Decoder(str).decode


class Template(Struct, frozen=True):
    """`head`, `middle`, `tail`: the constant bytes of the upstream's event; between head and middle lies the string, between middle and
    tail padding of letters and digits (`tail` is None where there is none). `parts`: what the client gets, to be joined by the string."""

    slot: str
    head: bytes
    middle: bytes
    tail: bytes | None
    parts: tuple[bytes, ...]

    def run(self, payloads: Sequence[bytes], start: int, out: list[bytes]) -> list[str]:
        """Splice payloads from `start` on as long as they fit, appending the client's events to `out`. Returns the decoded strings, one
        each."""
        texts: list[str] = []
        head, size, join = self.head, len(self.head), bytes.join
        middle, tail, parts = self.middle, self.tail, self.parts
        for position in range(start, len(payloads)):
            payload = payloads[position]
            if not payload.startswith(head):
                break
            if tail is None:
                if not payload.endswith(middle):
                    break
                inside = payload[size : -len(middle)]
            else:
                end = payload.find(middle, size)
                if end < 0 or not payload.endswith(tail) or not _is_padding(payload[end + len(middle) : -len(tail)]):
                    break
                inside = payload[size:end]
            try:
                text = _text(b'"' + inside + b'"')
            except (msgspec.DecodeError, UnicodeDecodeError):
                break
            if not text:
                break
            out.append(join(inside, parts))
            texts.append(text)
        return texts


def _is_padding(letters: bytes) -> bool:
    return not letters or letters.isalnum()


class Cut(Struct, frozen=True):
    """An event cut around the string of `slot`."""

    head: bytes
    middle: bytes
    tail: bytes | None

    def probe(self) -> bytes:
        """The event once more with a sentinel as its string."""
        return b"%b%b%b%b" % (self.head, _SENTINEL_BYTES, self.middle, self.tail or b"")


def cut(payload: bytes, key: str) -> Cut | None:
    """Cut an event around the value of the only key named `key`; None when there is no such key or more than one."""
    places = list(_KEYS[key].finditer(payload))
    if len(places) != 1:
        return None
    inside = _INSIDE.match(payload, places[0].end())
    if inside is None:
        return None
    head, middle = payload[: inside.start()], payload[inside.end() :]
    noise = list(_NOISE.finditer(middle))
    if b'"obfuscation"' in head or len(noise) > 1:
        return None
    if noise:
        return Cut(head, middle[: noise[0].start(1)], middle[noise[0].end(1) :])
    return Cut(head, middle, None)


def template(cut: Cut, slot: str, event: bytes) -> Template | None:
    """The template of `cut`, whose probe became `event` on its way to the client."""
    parts = tuple(event.split(_SENTINEL_BYTES))
    return Template(slot, cut.head, cut.middle, cut.tail, parts) if len(parts) > 1 else None


def plain_slot(chunk: object) -> str | None:
    """The key of the only string that a chunk adds, None for any chunk that does more than add to one string."""
    choices = chunk.get("choices") if isinstance(chunk, dict) else None
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        return None
    if isinstance(chunk, dict) and (chunk.get("usage") or chunk.get("error")):
        return None
    choice = choices[0]
    delta = choice.get("delta")
    if choice.get("finish_reason") or choice.get("usage") or not isinstance(delta, dict):
        return None
    said = [key for key, value in delta.items() if value and key != "role"]
    if len(said) != 1:
        return None
    if said[0] == "tool_calls":
        return "arguments" if _continues(delta["tool_calls"]) else None
    return said[0] if said[0] in _KEYS and isinstance(delta[said[0]], str) else None


def _continues(items: object) -> bool:
    if not isinstance(items, list) or len(items) != 1 or not isinstance(items[0], dict):
        return False
    item = items[0]
    function = item.get("function")
    if item.get("id") or not isinstance(item.get("index"), int) or not isinstance(function, dict):
        return False
    return not function.get("name") and isinstance(function.get("arguments"), str) and bool(function["arguments"])
