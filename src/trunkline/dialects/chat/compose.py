"""A conversation as the body of a chat upstream.

It is first written as a chat request of our own, and then goes through the steps of `prepare` like any caller's, so that one table of
quirks serves both. Cache marks, citations and pictures of earlier answers go only to upstreams that know OpenRouter's words.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw

from trunkline.dialects.chat.offers import ALLOWED, emulated, offer_fields, tool_names, wrapped_input
from trunkline.dialects.chat.parts import MEDIA, image_url, parts_of
from trunkline.dialects.chat.prepare import Splicer
from trunkline.dialects.chat.request import ChatRequest
from trunkline.dialects.chat.rounds import in_rounds
from trunkline.dialects.chat.thoughts import GEMINI, reasoning_fields, signed_call
from trunkline.dialects.chat.wishes import effort_of_wish, wish_fields
from trunkline.dialects.hub.conversation import Block, Conversation, Image, Refusal, Text, ToolCall, ToolResult, Turn
from trunkline.dialects.names import Names, fit
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.quirks import Quirks

Message = dict[str, object]
ID_LIMIT: Final = 40
_BARE: Final = frozenset(("role", "content"))
_NO_MODEL = Raw(b"null")
_ATTACHED: Final = "What the tool gave back follows in the next message."
_encode = msgspec.json.Encoder().encode


class Composer:
    """Writes upstream bodies for one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._splicer = Splicer(endpoint)
        self._quirks = endpoint.quirks

    def compose(self, conversation: Conversation) -> bytes:
        """The upstream body; what the endpoint does not know is dropped."""
        return self._splicer.splice(self.request(conversation))

    def request(self, conversation: Conversation) -> ChatRequest:
        """The conversation as a chat request, before the endpoint's quirks."""
        names = tool_names(conversation)
        writer = _Writer(names, emulated(conversation.tools), self._quirks)
        messages = writer.messages(in_rounds(conversation.turns))
        offers = offer_fields(conversation, names, marks=self._quirks.native_reasoning)
        wishes = wish_fields(conversation)
        own = conversation.extra if conversation.dialect == "chat" else {}
        values = {"model": _NO_MODEL, "messages": messages, **wishes, **offers, **own}
        choice = conversation.tool_choice
        wish = conversation.reasoning
        return ChatRequest(
            fields={key: Raw(_encode(value)) for key, value in values.items()},
            stream=conversation.stream,
            max_tokens=conversation.max_tokens,
            traits=_traits(messages),
            effort=effort_of_wish(wish),  # type: ignore[arg-type]
            reasoning_tokens=None if wish is None else wish.max_tokens,
            tool_choice=choice.mode if "tool_choice" in offers else None,
            chosen_tool=names.wire(choice.name) if choice.mode == "function" and choice.name is not None else None,
            schema_format=conversation.format is not None and conversation.format.kind == "json_schema",
        )


def _traits(messages: Sequence[Message]) -> frozenset[str]:
    traits = {str(message["role"]) for message in messages}
    for message in messages:
        if "reasoning" in message or "reasoning_details" in message:
            traits.add("reasoning")
        if "tool_calls" in message:
            traits.add("calls")
    return frozenset(traits)


class _Writer:
    """Turns as messages for an endpoint with these quirks."""

    def __init__(self, names: Names, custom: frozenset[str], quirks: Quirks) -> None:
        self._names = names
        self._custom = custom
        self._native = quirks.native_reasoning
        self._thinks = quirks.reasoning_in != "drop"
        self._formats = quirks.reasoning_formats
        self._shows = quirks.native_reasoning or quirks.media_in_tool_results

    def messages(self, turns: Sequence[Turn]) -> list[Message]:
        """The messages; an answer of which nothing can be sent is left out."""
        messages: list[Message] = []
        shown: list[Block] = []
        for turn in turns:
            if shown and turn.role != "tool":
                messages.append({"role": "user", "content": parts_of(shown, marks=False)})
                shown = []
            message = self._message(turn, shown)
            if message.keys() != _BARE or message["content"] is not None:
                messages.append(message)
        if shown:
            messages.append({"role": "user", "content": parts_of(shown, marks=False)})
        return messages

    def _message(self, turn: Turn, shown: list[Block]) -> Message:
        first = turn.blocks[0] if turn.blocks else None
        if isinstance(first, ToolResult):
            return self._result(first, shown)
        return self._answer(turn) if turn.role == "assistant" else self._words(turn)

    def _words(self, turn: Turn) -> Message:
        role = "developer" if turn.developer else turn.role
        return _named({"role": role, "content": self._content(turn.blocks, "\n")}, turn)

    def _answer(self, turn: Turn) -> Message:
        said = [block for block in turn.blocks if isinstance(block, Text)]
        calls = [self._call(block, turn.blocks) for block in turn.blocks if isinstance(block, ToolCall)]
        message: Message = {"role": "assistant", "content": self._content(said, "") if said else None}
        if self._thinks:
            message.update(reasoning_fields(turn.blocks, self._formats))
        refusal = "".join(block.text for block in turn.blocks if isinstance(block, Refusal))
        if refusal:
            message["refusal"] = refusal
        if calls:
            message["tool_calls"] = calls
        if self._native:
            message.update(_shown(turn.blocks))
        if not (said or calls) and len(message) > len(_BARE):
            message["content"] = ""
        return _named(message, turn)

    def _content(self, blocks: Sequence[Block], between: str) -> object:
        """Text alone as a string, which every server takes; with media or marks as parts."""
        plain = [block.text for block in blocks if isinstance(block, Text) and not (self._native and block.cache)]
        if len(plain) == len(blocks):
            return between.join(plain)
        return parts_of(blocks, marks=self._native)

    def _call(self, call: ToolCall, blocks: Sequence[Block]) -> object:
        identifier, name = self._fitted(call.id), self._names.wire(call.name)
        if call.kind == "custom" and call.name not in self._custom:
            return {"id": identifier, "type": "custom", "custom": {"name": name, "input": call.arguments}}
        arguments = wrapped_input(call.arguments) if call.kind == "custom" else call.arguments or "{}"
        sent = {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}
        return signed_call(sent, call.id, blocks) if GEMINI in self._formats else sent

    def _result(self, result: ToolResult, shown: list[Block]) -> Message:
        """A tool's message. Pictures and other media go into it where the upstream takes them, else into a user's message behind the
        results (class 22)."""
        blocks = list(result.blocks)
        media = [block for block in blocks if isinstance(block, MEDIA)]
        if media and not self._shows:
            shown.append(Text(text=f"Result of {result.name or 'the tool'} ({self._fitted(result.id)}):"))
            shown.extend(media)
            blocks = [block for block in blocks if not isinstance(block, MEDIA)] or [Text(text=_ATTACHED)]
        return {"role": "tool", "tool_call_id": self._fitted(result.id), "content": self._content(blocks, "\n")}

    def _fitted(self, identifier: str) -> str:
        """An id within what chat servers accept; `reasoning_details` may name calls, so that those who read them get it as it is."""
        return identifier if self._native else fit(identifier, allowed=ALLOWED, limit=ID_LIMIT)


def _named(message: Message, turn: Turn) -> Message:
    return message if turn.name is None else {**message, "name": turn.name}


def _shown(blocks: Sequence[Block]) -> Message:
    """Pictures and citations of an earlier answer."""
    images = [image_url(block) for block in blocks if isinstance(block, Image)]
    citations = [item for block in blocks if isinstance(block, Text) for item in block.annotations]
    return {key: items for key, items in (("images", images), ("annotations", citations)) if items}
