"""The body a Messages upstream gets from a Messages client: top-level keys spliced, everything below them byte for byte
(docs/architecture.md, decision 3). Messages are touched only to take out thinking that is not Anthropic's, and cache marks that the
endpoint does not know."""

from collections.abc import Iterable

import msgspec
from msgspec import Raw

from trunkline.dialects.messages import marks
from trunkline.dialects.messages.blocks import is_foreign, walk
from trunkline.dialects.messages.compose import TIERS, supports
from trunkline.dialects.messages.request import MessagesRequest
from trunkline.dialects.messages.seal import OWN
from trunkline.dialects.messages.structure import words
from trunkline.dialects.messages.thinking import DEFAULT_MAX_TOKENS, adaptive
from trunkline.protocol.catalogue import Endpoint

Body = dict[str, Raw]

GATEWAY_KEYS = frozenset(
    (
        *("models", "fallbacks", "provider", "plugins", "route", "transforms", "preset", "session_id", "trace", "user", "metadata"),
        *("usage", "debug", "cache", "max_tool_calls", "stop_server_tools_when"),
    )
)
"""Keys that speak to the gateway and never reach an upstream; `user` and `metadata.user_id` are never sent as they are (contract 2.1)."""

COUNTED = frozenset(
    ("messages", "system", "tools", "tool_choice", "thinking", "output_config", "context_management", "cache_control", "mcp_servers")
)
"""The keys of a token count, beside `model`."""

_PARAMETERS = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "top_k": ("top_k",),
    "stop": ("stop_sequences",),
    "tools": ("tools", "tool_choice"),
    "reasoning": ("thinking",),
}
"""The keys of each parameter that an endpoint may lack."""
_NULL = Raw(b"null")
_MARKED = ("messages", "tools", "system")
_KEYS = msgspec.json.Decoder(dict[str, Raw])
_TEXT = msgspec.json.Decoder(str | None)
_LIST = msgspec.json.Decoder(list[Raw])
_encode = msgspec.json.Encoder().encode


class Splicer:
    """Rewrites requests for one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        quirks = endpoint.quirks
        known = supports(endpoint)
        missing = [key for name, keys in _PARAMETERS.items() if not known(name) for key in keys]
        if quirks.thinking == "none":
            missing.append("thinking")
        self._quirks = quirks
        self._dropped = GATEWAY_KEYS.union(missing, quirks.drop)
        self._model = Raw(_encode(endpoint.upstream_model))
        self._limit = Raw(b"%d" % (endpoint.max_completion_tokens or DEFAULT_MAX_TOKENS))
        self._constants = {name: Raw(_encode(value)) for name, value in quirks.set.items()}
        self._signed_elsewhere = OWN not in (quirks.reasoning_formats or (OWN,))

    def splice(self, request: MessagesRequest) -> bytes:
        """The upstream body. `messages` and `tools` keep their bytes, but for thinking that the upstream did not sign."""
        body = self._body(request, request.fields)
        if request.max_tokens is None:
            body["max_tokens"] = self._limit
        self._retier(body, request)
        for name in self._quirks.rename.keys() & body.keys():
            body[self._quirks.rename[name]] = body.pop(name)
        body.update(self._constants)
        return _encode({key: value for key, value in body.items() if key not in self._quirks.drop})

    def count(self, request: MessagesRequest) -> bytes:
        """The body of a token count at the upstream (`address.count_url`)."""
        return _encode(self._body(request, {key: value for key, value in request.fields.items() if key in COUNTED}))

    def _body(self, request: MessagesRequest, fields: Body) -> Body:
        dropped = self._dropped
        body = {"model": self._model, **{key: value for key, value in fields.items() if key not in dropped and value != _NULL}}
        body["model"] = self._model
        if "foreign" in request.traits or self._signed_elsewhere:
            body["messages"] = _without_foreign(body["messages"], everything=self._signed_elsewhere)
        if "thinking" in body and self._quirks.thinking == "adaptive":
            self._adapt(body, request)
        if "output_config" in body and self._quirks.effort_map:
            self._translate_effort(body)
        if self._quirks.json_schema != "native":
            _say_format(body, request)
        if self._quirks.cache_marks != "ttl":
            body = _restyled(body, self._quirks.cache_marks)
        return body

    def _adapt(self, body: Body, request: MessagesRequest) -> None:
        """A budget, where the upstream knows none, is said as an effort."""
        wire = request.wire
        found = adaptive(self._quirks, wire, request.max_tokens)
        if found is None:
            return
        thinking, effort = found
        body["thinking"] = Raw(_encode(thinking))
        if effort is not None:
            config = _KEYS.decode(body["output_config"]) if "output_config" in body else {}
            body["output_config"] = Raw(_encode({"effort": effort, **config}))

    def _translate_effort(self, body: Body) -> None:
        """An effort in the upstream's word; one that it has no word for is left out."""
        config = _KEYS.decode(body["output_config"])
        said = _TEXT.decode(config["effort"]) if "effort" in config else None
        word = None if said is None else self._quirks.effort_map.get(said)
        if word is None:
            return
        rest = {key: value for key, value in config.items() if key != "effort"}
        body["output_config"] = Raw(_encode(({"effort": word} if word else {}) | rest))

    def _retier(self, body: Body, request: MessagesRequest) -> None:
        if "service_tier" not in body:
            return
        tier = TIERS.get(request.wire.service_tier or "")
        if tier is None:
            del body["service_tier"]
        else:
            body["service_tier"] = Raw(_encode(tier))


def _say_format(body: Body, request: MessagesRequest) -> None:
    """Ask for the form of the answer in words."""
    config = request.wire.output_config
    if config is None or config.format is None or "output_config" not in body:
        return
    rest = {key: value for key, value in _KEYS.decode(body.pop("output_config")).items() if key != "format"}
    if rest:
        body["output_config"] = Raw(_encode(rest))
    said = {"type": "text", "text": words(Raw(_encode(config.format.schema)))}
    system = request.wire.system
    before: Iterable[object] = ()
    if isinstance(system, str):
        before = [{"type": "text", "text": system}] if system else ()
    elif system is not None:
        before = _LIST.decode(body["system"])
    body["system"] = Raw(_encode([*before, said]))


def _restyled(body: Body, style: marks.Style) -> Body:
    """The body with its cache marks as the endpoint takes them; what bears none keeps its bytes."""
    out = {key: _restyle_list(value, style) if key in _MARKED else value for key, value in body.items()}
    return _restyle(out, style)


def _restyle_list(items: Raw, style: marks.Style) -> Raw:
    if b'"cache_control"' not in bytes(items) or bytes(items)[:1] != b"[":
        return items
    out: list[Raw] = []
    for raw in _LIST.decode(items):
        if b'"cache_control"' in bytes(raw):
            block = _KEYS.decode(raw)
            inner = {**block, "content": _restyle_list(block["content"], style)} if "content" in block else block
            out.append(Raw(_encode(_restyle(inner, style))))
        else:
            out.append(raw)
    return Raw(_encode(out))


def _restyle(block: Body, style: marks.Style) -> Body:
    if marks.KEY not in block:
        return block
    rest = {key: value for key, value in block.items() if key != marks.KEY}
    return rest if style == "none" else {**rest, marks.KEY: Raw(_encode(marks.written("5m", style)))}


def _without_foreign(messages: Raw, *, everything: bool) -> Raw:
    """The messages without thinking of other families, or without any; a message that has none keeps its bytes."""
    out = []
    for raw in _LIST.decode(messages):
        message = _KEYS.decode(raw)
        content = message["content"]
        if bytes(content)[:1] != b"[":
            out.append(raw)
            continue
        blocks = list(walk(_LIST.decode(content)))
        kept = [part for block, part in blocks if not (is_foreign(block) or (everything and "thinking" in block.type))]
        if len(kept) == len(blocks):
            out.append(raw)
        elif kept:
            out.append(Raw(_encode({**message, "content": Raw(_encode(kept))})))
    return Raw(_encode(out))
