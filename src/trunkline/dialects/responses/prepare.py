"""The body an upstream of the same dialect gets: the caller's top-level keys spliced; input and tools keep their bytes.

Only reasoning items that the upstream could not know are taken out of the input: another family's, and those without content.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from trunkline.dialects.parameters import PARAMETERS
from trunkline.dialects.responses import demands, seal
from trunkline.dialects.responses.compose import ENCRYPTED, LEAST_OUTPUT, TIERS
from trunkline.dialects.responses.fields import ReasoningWire
from trunkline.dialects.responses.items import Item, ReasoningItem
from trunkline.dialects.responses.request import ResponsesRequest
from trunkline.dialects.responses.support import Support
from trunkline.dialects.responses.turns import wish
from trunkline.protocol.catalogue import Endpoint

GATEWAY_KEYS = frozenset(
    (
        *("models", "provider", "plugins", "route", "transforms", "preset", "session_id", "usage", "debug", "trace", "user", "metadata"),
        *("cache", "fallbacks", "stop_server_tools_when", "safety_identifier"),
        *("background", "previous_response_id", "conversation", "prompt"),
    )
)
"""Keys that speak to the gateway and never reach an upstream; the last row asks for state and is null when it gets here."""

EXTENSIONS = frozenset(("cache_control", "image_config", "modalities", "speed"))
"""OpenRouter's own words: only an upstream that understands its `reasoning` object gets them."""

_FALSE = Raw(b"false")
_TEXT_FORMAT = {"format": {"type": "text"}}
_LIST = msgspec.json.Decoder(list[Raw])
_KEYS = msgspec.json.Decoder(dict[str, Raw])
_TEXT = msgspec.json.Decoder(dict[str, Raw] | None)
_encode = msgspec.json.Encoder().encode
_OURS = ("format", "signature")

Body = dict[str, Raw]


class Splicer:
    """Rewrites requests for one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        quirks = endpoint.quirks
        self._quirks = quirks
        self._support = Support(endpoint)
        self._model = Raw(_encode(endpoint.upstream_model))
        self._dropped = GATEWAY_KEYS | set(quirks.drop) | {name for name in PARAMETERS if not self._support.takes(name)}
        if not quirks.native_reasoning:
            self._dropped |= EXTENSIONS
        if quirks.tools != "native" or "tools" in self._dropped:
            self._dropped |= {"tools", "tool_choice", "parallel_tool_calls"}
        self._constants = {name: Raw(_encode(value)) for name, value in quirks.set.items()}

    def splice(self, request: ResponsesRequest) -> bytes:
        """The upstream body."""
        dropped = self._dropped
        body = {key: value for key, value in request.fields.items() if key not in dropped}
        body["model"] = self._model
        body["store"] = _FALSE
        self._edit_input(body, request.input)
        self._edit_values(body, request)
        self._edit_text(body, request)
        self._edit_reasoning(body, request)
        for name in self._quirks.rename.keys() & body.keys():
            body[self._quirks.rename[name]] = body.pop(name)
        body.update(self._constants)
        return _encode(body)

    def _edit_input(self, body: Body, given: str | Sequence[Item]) -> None:
        if isinstance(given, str) or not any(self._is_strange(item) for item in given):
            return
        kept = []
        for raw, item in zip(_LIST.decode(body["input"]), given, strict=True):
            if isinstance(item, ReasoningItem):
                true = seal.opened(item)
                if self._is_known(true):
                    said: dict[str, object] = {key: value for key, value in _KEYS.decode(raw).items() if key not in _OURS}
                    kept.append(Raw(_encode(said if true is item else {**said, "encrypted_content": true.encrypted_content})))
            else:
                kept.append(raw)
        body["input"] = Raw(_encode(kept))

    def _is_strange(self, item: Item) -> bool:
        if not isinstance(item, ReasoningItem):
            return False
        return item.format is not None or item.signature is not None or seal.is_sealed(item) or not self._is_known(item)

    def _is_known(self, item: ReasoningItem) -> bool:
        """Whether the endpoint takes a reasoning item: its family's, with something in it that a server without memory can use."""
        if item.format is not None and item.format not in self._support.formats:
            return False
        return item.encrypted_content is not None or bool(item.content)

    def _edit_values(self, body: Body, request: ResponsesRequest) -> None:
        if request.max_tokens is not None and request.max_tokens < LEAST_OUTPUT and "max_output_tokens" in body:
            body["max_output_tokens"] = Raw(b"%d" % LEAST_OUTPUT)
        tier = request.wire.service_tier
        if tier in TIERS and "service_tier" in body:
            body["service_tier"] = Raw(_encode(TIERS[tier]))
        words = self._quirks.tool_choice_map
        choice = request.wire.tool_choice
        if isinstance(choice, str) and choice in words and "tool_choice" in body:
            body["tool_choice"] = Raw(_encode(words[choice]))

    def _edit_text(self, body: Body, request: ResponsesRequest) -> None:
        wire = request.wire.text
        if wire is None or "text" not in body:
            return
        text = _TEXT.decode(body["text"]) or {}
        form = None if wire.format is None else wire.format.type
        before = dict(text)
        if not self._support.takes("verbosity"):
            text.pop("verbosity", None)
        if form not in (None, "text") and (self._quirks.json_schema == "none" or not self._support.takes("response_format")):
            text.pop("format", None)
        elif form == "json_schema" and self._quirks.json_schema == "object":
            text["format"] = Raw(b'{"type":"json_object"}')
        if text != before:
            body["text"] = Raw(_encode(text or _TEXT_FORMAT))

    def _edit_reasoning(self, body: Body, request: ResponsesRequest) -> None:
        wire = request.wire.reasoning
        if wire is not None and "reasoning" in body and not self._is_native(wire):
            asked = wish(request)
            edited = demands.reasoning(asked, request.max_tokens, self._quirks) if asked is not None else {}
            body["reasoning"] = Raw(_encode(edited))
            if not edited:
                del body["reasoning"]
        include = request.wire.include or []
        reasons = self._support.knows_reasoning or (wire is not None and "reasoning" in body and request.effort != "none")
        if reasons and ENCRYPTED not in include and "include" not in self._dropped:
            body["include"] = Raw(_encode([*include, ENCRYPTED]))

    def _is_native(self, wire: ReasoningWire) -> bool:
        """Whether the upstream understands every word of a `reasoning` object."""
        if self._quirks.native_reasoning:
            return True
        ours = wire.max_tokens is not None or wire.enabled is not None or wire.exclude is not None
        unknown = wire.effort in self._quirks.effort_map or demands.REASONING_SUMMARY in self._quirks.drop
        return not ours and not unknown
