"""Messages as an endpoint wants them: the role of system messages, their number, reasoning in the history, the form of tool call ids.

A message that needs no change keeps its bytes, and when none needs one the whole array does: prompt caches are keyed by bytes.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping

import msgspec
from msgspec import Raw

from trunkline.dialects.chat.narration import narrate
from trunkline.protocol.quirks import Quirks

_LIST = msgspec.json.Decoder(list[Raw])
_KEYS = msgspec.json.Decoder(dict[str, Raw])
_REASONING = frozenset(("reasoning", "reasoning_content", "reasoning_details"))
_SYSTEM_ROLES = ("system", "developer")
_ROLE = msgspec.json.Decoder(str)
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

Message = dict[str, Raw]
Edit = Callable[[Message], bool]
Editor = Callable[[Raw, frozenset[str]], Raw]


def editor(quirks: Quirks) -> Editor:
    """The rewriter of `messages` for one endpoint; it takes their bytes and traits, and returns its argument when nothing has to change."""
    other = "developer" if quirks.system_role == "system" else "system"
    edits: list[tuple[str, Edit]] = [(other, _role_edit(other, quirks.system_role))]
    if quirks.reasoning_in != "keep":
        edits.append(("reasoning", _reasoning_edit(named=quirks.reasoning_in == "reasoning_content")))
    elif quirks.reasoning_formats:
        edits.append(("reasoning", _family_edit(quirks.reasoning_formats)))
    if quirks.tools == "none":
        edits.extend((trait, narrate) for trait in ("calls", "tool"))
    if quirks.tool_id_length:
        edits.extend((trait, _id_edit(quirks.tool_id_length)) for trait in ("calls", "tool"))
    merge = quirks.merge_system

    def rewrite(messages: Raw, traits: frozenset[str]) -> Raw:
        wanted = [edit for trait, edit in edits if trait in traits]
        if wanted:
            messages = _edit(messages, wanted)
        return _merge_system(messages) if merge and not traits.isdisjoint(_SYSTEM_ROLES) else messages

    return rewrite


def _edit(messages: Raw, edits: list[Edit]) -> Raw:
    items = _LIST.decode(messages)
    changed = False
    for index, item in enumerate(items):
        message = _KEYS.decode(item)
        results = [edit(message) for edit in edits]
        if any(results):
            items[index] = Raw(msgspec.json.encode(message))
            changed = True
    return Raw(msgspec.json.encode(items)) if changed else messages


def _role_edit(other: str, role: str) -> Edit:
    def edit(message: Message) -> bool:
        if _ROLE.decode(message["role"]) != other:
            return False
        message["role"] = Raw(msgspec.json.encode(role))
        return True

    return edit


def _reasoning_edit(*, named: bool) -> Edit:
    def edit(message: Message) -> bool:
        found = {key: msgspec.json.decode(message.pop(key)) for key in _REASONING.intersection(message)}
        text = _reasoning_text(found) if named else ""
        if text:
            message["reasoning_content"] = Raw(msgspec.json.encode(text))
        return bool(found)

    return edit


def _family_edit(formats: Collection[str]) -> Edit:
    """Signatures and encrypted reasoning of other families are left out (adapters 2.4, class 2)."""

    def edit(message: Message) -> bool:
        details = msgspec.json.decode(message.get("reasoning_details", b"null"))
        if not isinstance(details, list):
            return False
        kept = [item for item in details if _belongs(item, formats)]
        message["reasoning_details"] = Raw(msgspec.json.encode(kept))
        return len(kept) < len(details)

    return edit


def _belongs(item: object, formats: Collection[str]) -> bool:
    bound = isinstance(item, dict) and (item.get("signature") or item.get("data"))
    return not bound or (isinstance(item, dict) and item.get("format", "unknown") in formats)


def _id_edit(length: int) -> Edit:
    return lambda message: _shorten_ids(message, length)


def _reasoning_text(found: Mapping[str, object]) -> str:
    for key in ("reasoning", "reasoning_content"):
        text = found.get(key)
        if isinstance(text, str) and text:
            return text
    details = found.get("reasoning_details")
    parts = [item.get("text") for item in details if isinstance(item, dict)] if isinstance(details, list) else []
    return "".join(part for part in parts if isinstance(part, str))


def short_id(identifier: str, length: int) -> str:
    """The id itself when it has exactly `length` ASCII letters and digits, else one derived from it, the same each time."""
    if re.fullmatch(rf"[A-Za-z0-9]{{{length}}}", identifier):
        return identifier
    value = int.from_bytes(hashlib.sha256(identifier.encode()).digest(), "big")
    letters = []
    for _ in range(length):
        value, digit = divmod(value, 62)
        letters.append(_BASE62[digit])
    return "".join(letters)


def _shorten_ids(message: Message, length: int) -> bool:
    changed = False
    answered = msgspec.json.decode(message["tool_call_id"]) if "tool_call_id" in message else None
    if isinstance(answered, str) and short_id(answered, length) != answered:
        message["tool_call_id"] = Raw(msgspec.json.encode(short_id(answered, length)))
        changed = True
    calls = msgspec.json.decode(message["tool_calls"], type=list[dict[str, Raw]] | None) if "tool_calls" in message else None
    for call in calls or ():
        identifier = msgspec.json.decode(call["id"]) if "id" in call else None
        if isinstance(identifier, str) and short_id(identifier, length) != identifier:
            call["id"] = Raw(msgspec.json.encode(short_id(identifier, length)))
            changed = True
    if changed and calls:
        message["tool_calls"] = Raw(msgspec.json.encode(calls))
    return changed


def _merge_system(messages: Raw) -> Raw:
    items = _LIST.decode(messages)
    heads = [_KEYS.decode(item) for item in items]
    places = [index for index, head in enumerate(heads) if _ROLE.decode(head["role"]) in _SYSTEM_ROLES]
    if places == [0]:
        return messages
    texts = [_text(msgspec.json.decode(heads[place]["content"])) for place in places]
    merged = heads[places[0]] | {"content": Raw(msgspec.json.encode("\n\n".join(text for text in texts if text)))}
    rest = [item for index, item in enumerate(items) if index not in set(places)]
    return Raw(msgspec.json.encode([Raw(msgspec.json.encode(merged)), *rest]))


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def prepend_system(messages: Raw, role: str, text: str, *, merge: bool = False) -> Raw:
    """`messages` with one system message more, in front; the others keep their bytes, unless all system messages are to be one."""
    first = Raw(msgspec.json.encode({"role": role, "content": text}))
    longer = Raw(msgspec.json.encode([first, *_LIST.decode(messages)]))
    return _merge_system(longer) if merge else longer
