"""The fast way for a stream of plain deltas: learn the constant bytes around one string of an event, and copy only that string
afterwards.

A template is learned by sending an event the full way with a mark in place of that string. It fits an event when head and tail are the same
bytes and what lies between is the inside of one valid JSON string, so such an event can differ in nothing but that string.
"""

import re
from collections.abc import Sequence
from itertools import islice, takewhile
from typing import Any

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

    def run(self, payloads: Sequence[bytes], start: int, out: list[bytes]) -> tuple[int, str]:
        """Splice payloads from `start` on as long as they fit, appending the client's events to `out`. Returns how many there were, and
        their strings, decoded, in one."""
        insides = self._unpadded(payloads, start) if self.tail is None else self._padded(payloads, start, self.tail)
        text = _joined(insides)
        if text is None:
            insides = list(takewhile(lambda inside: _joined((inside,)) is not None, insides))
            text = _joined(insides)
        if not text:
            return 0, ""
        parts = self.parts
        if len(parts) == 2:
            first, last = parts
            out += (first, (last + first).join(insides), last)
        else:
            out += [inside.join(parts) for inside in insides]
        return len(insides), text

    def _unpadded(self, payloads: Sequence[bytes], start: int) -> list[bytes]:
        head, middle, insides = self.head, self.middle, []
        size, rest = len(head), -len(middle)
        for payload in islice(payloads, start, None):
            if not payload.startswith(head) or not payload.endswith(middle):
                break
            inside = payload[size:rest]
            if not inside:
                break
            insides.append(inside)
        return insides

    def _padded(self, payloads: Sequence[bytes], start: int, tail: bytes) -> list[bytes]:
        head, middle, insides = self.head, self.middle, []
        size, rest = len(head), -len(tail)
        for payload in islice(payloads, start, None):
            if not payload.startswith(head) or not payload.endswith(tail):
                break
            inside, found, padding = payload[size:rest].partition(middle)
            if not found or not inside or (padding and not padding.isalnum()):
                break
            insides.append(inside)
        return insides


def _joined(insides: Sequence[bytes]) -> str | None:
    """The strings with these insides as one, None when one of them is not the inside of a JSON string. A blank ends neither an escape nor
    a character nor a string, so with blanks between them all are proved at once."""
    try:
        if len(insides) > 1:
            _text(b'"%b"' % b" ".join(insides))
        return _text(b'"%b"' % b"".join(insides))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


class Cut(Struct, frozen=True):
    """An event cut around the string of a key."""

    head: bytes
    middle: bytes
    tail: bytes | None


def cut(payload: bytes, key: str) -> Cut | None:
    """Cut an event around the string that is the value of the only key named `key`; None where that is not certain: no such key, more than
    one, or an escape elsewhere in the event, which could spell one."""
    places = list(_KEYS[key].finditer(payload))
    if len(places) != 1:
        return None
    inside = _INSIDE.match(payload, places[0].end())
    if inside is None or _joined((inside[0],)) is None:
        return None
    head, middle = payload[: inside.start()], payload[inside.end() :]
    noise = list(_NOISE.finditer(middle))
    if b"\\" in head or b"\\" in middle or len(noise) + head.count(b'"obfuscation"') > 1:
        return None
    if noise:
        return Cut(head, middle[: noise[0].start(1)], middle[noise[0].end(1) :])
    return Cut(head, middle, None)


def mark(chunk: dict[str, Any], slot: str) -> None:
    """Put the sentinel into the string of a plain chunk."""
    delta = chunk["choices"][0]["delta"]
    if slot == "arguments":
        delta["tool_calls"][0]["function"]["arguments"] = SENTINEL
    else:
        delta[slot] = SENTINEL


def template(cut: Cut, slot: str, event: bytes) -> Template | None:
    """The template of `cut`, whose marked chunk became `event` on its way to the client."""
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
