"""Tool calls and their results in plain words, for upstreams that have no tools at all (contract 2.2): what was called and what came back
stays in the history."""

import msgspec
from msgspec import Raw

from trunkline.dialects.chat.messages import CalledFunction

_ROLE = msgspec.json.Decoder(str)
_USER = Raw(b'"user"')


class _Called(msgspec.Struct):
    function: CalledFunction | None = None
    custom: CalledFunction | None = None


_CALLS = msgspec.json.Decoder(list[_Called] | None)


def narrate(message: dict[str, Raw]) -> bool:
    """Rewrite one message in place; False when it neither calls nor answers."""
    if _ROLE.decode(message["role"]) == "tool":
        message.pop("tool_call_id", None)
        message["role"] = _USER
        message["content"] = _with_text(message, "Result of the call:", first=True)
        return True
    calls = _CALLS.decode(message.pop("tool_calls", Raw(b"null")))
    if not calls:
        return False
    called = [call.function or call.custom for call in calls]
    told = [f"Called {one.name} with {_said(one)}" for one in called if one is not None]
    message["content"] = _with_text(message, "\n".join(told), first=False)
    return True


def _said(called: CalledFunction) -> str:
    return called.arguments if isinstance(called.arguments, str) else msgspec.json.encode(called.arguments or {}).decode()


def _with_text(message: dict[str, Raw], text: str, *, first: bool) -> Raw:
    """The content with a line before or behind it; parts stay parts."""
    content = msgspec.json.decode(message.get("content", Raw(b"null")))
    if isinstance(content, list):
        part = {"type": "text", "text": text}
        return Raw(msgspec.json.encode([part, *content] if first else [*content, part]))
    lines = [text, content or ""] if first else [content or "", text]
    return Raw(msgspec.json.encode("\n".join(line for line in lines if line)))
