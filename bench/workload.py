"""What is asked and what is answered: the same bytes for every gateway. Pure.

Sizes are those of real traffic: a head as the OpenAI SDK sends it (about 600 B), a body of 630 B, a reply of 655 B, a stream of 52 events
in 15.9 KB.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from bench import translations

Kind = Literal["plain", "burst", "paced", "tls", "to_messages", "from_messages", "fixed", "routed", "preferring"]

ROUTES: tuple[Kind, ...] = ("fixed", "routed", "preferring")
"""Loads that tell what routing costs: a model with one endpoint, one with several, and that with preferences."""
EVENTS = 52
"""Events of a stream: role, content, finish, usage, `[DONE]`."""

CONTENT_EVENTS = EVENTS - 4
TRANSLATED_EVENTS = -1
"""How many more events a translated chat stream has: its role comes with the first content."""
PACE_MS = 10
REQUEST_BYTES = 630
TURN_BYTES = 1150
"""Of a request of a conversation with tools."""
REPLY_BYTES = 655
EVENT_BYTES = 308

_SYSTEM = "You are a careful assistant. Answer in one sentence, name your sources, and say so when you do not know."
_QUESTION = "Which of the two routes is shorter, and by how much? Think of the bridge that is closed until the spring."

STREAM_TEXT = "".join(f"w{number} " for number in range(CONTENT_EVENTS))

_ENVELOPE = {
    "id": "chatcmpl-bench00000001",
    "created": 1_750_000_000,
    "model": "bench-1",
    "service_tier": "default",
    "system_fingerprint": "fp_bench",
}
_USAGE = {"prompt_tokens": 120, "completion_tokens": 48, "total_tokens": 168, "prompt_tokens_details": {"cached_tokens": 0}}


class Workload(Struct, frozen=True, kw_only=True):
    """One way of loading a gateway.

    `path`: base path at the upstream; `connections`: requests at once; `operation`: what clients call below their base path;
    `answers_at`: where the upstream answers below its own, in `dialect`. `turn`: the request belongs to a named conversation and brings
    tools; `more`: fields of its own.
    """

    kind: Kind
    stream: bool
    path: str
    connections: int
    operation: str = "chat/completions"
    answers_at: str = "chat/completions"
    dialect: str = "chat"
    turn: bool = False
    more: Mapping[str, object] = {}


_PREFERENCES: Mapping[str, object] = {
    "ignore": ["somebody", "somebody-else"],
    "data_collection": "allow",
    "require_parameters": True,
    "max_price": {"prompt": 10, "completion": 20},
    "preferred_min_throughput": {"p50": 1, "p90": 0.5},
    "preferred_max_latency": 10,
}
WORKLOADS: Mapping[Kind, Workload] = {
    "plain": Workload(kind="plain", stream=False, path="/plain/v1", connections=32),
    "burst": Workload(kind="burst", stream=True, path="/burst/v1", connections=16),
    "paced": Workload(kind="paced", stream=True, path="/paced/v1", connections=32),
    "tls": Workload(kind="tls", stream=False, path="/tls/v1", connections=32),
    "to_messages": Workload(
        kind="to_messages", stream=True, path="/to-messages", connections=16, answers_at="v1/messages", dialect="messages"
    ),
    "from_messages": Workload(kind="from_messages", stream=True, path="/from-messages/v1", connections=16, operation="messages"),
    "fixed": Workload(kind="fixed", stream=False, path="/fixed/v1", connections=32, turn=True),
    "routed": Workload(kind="routed", stream=False, path="/routed/v1", connections=32, turn=True),
    "preferring": Workload(
        kind="preferring", stream=False, path="/preferring/v1", connections=32, turn=True, more={"provider": _PREFERENCES}
    ),
}
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}}, "required": ["city"]}
_TURN: Mapping[str, object] = {
    "session_id": "bench-conversation-1",
    "tools": [{"type": "function", "function": {"name": "weather", "description": "The weather in a city.", "parameters": _SCHEMA}}],
}


def _padded(value: dict[str, object], key: str, size: int) -> bytes:
    """The object as JSON of exactly `size` bytes: the text under `key` is made longer."""
    missing = size - len(msgspec.json.encode(value))
    return msgspec.json.encode(value | {key: str(value[key]) + "x" * missing})


def request_body(workload: Workload, prefix: str = "") -> bytes:
    """A request for the model `bench/<kind>`, with what a gateway wants before the name; a chat request has 630 bytes, one of a
    conversation with tools 1,150."""
    if workload.operation == "messages":
        return translations.messages_request(f"{prefix}bench/{workload.kind}", _SYSTEM, _QUESTION)
    body: dict[str, object] = {
        "model": f"{prefix}bench/{workload.kind}",
        "messages": [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _QUESTION}],
        "max_tokens": 256,
        "temperature": 0.2,
    }
    if workload.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if workload.turn:
        body |= {**_TURN, **workload.more}
    missing = (TURN_BYTES if workload.turn else REQUEST_BYTES) - len(msgspec.json.encode(body))
    body["messages"] = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _QUESTION + (" Really?" * missing)[:missing]}]
    return msgspec.json.encode(body)


def request_headers(key: str) -> dict[str, str]:
    """The headers of the official OpenAI client for Python."""
    return {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "User-Agent": "OpenAI/Python 2.8.0",
        "X-Stainless-Arch": "x64",
        "X-Stainless-Async": "false",
        "X-Stainless-Lang": "python",
        "X-Stainless-OS": "Linux",
        "X-Stainless-Package-Version": "2.8.0",
        "X-Stainless-Read-Timeout": "600",
        "X-Stainless-Retry-Count": "0",
        "X-Stainless-Runtime": "CPython",
        "X-Stainless-Runtime-Version": "3.11.7",
    }


def request(*, host: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The whole request as bytes. `path` is that of the operation."""
    headers = {"Host": host, **headers, "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def reply() -> bytes:
    """The upstream's JSON reply, 655 bytes."""
    message = {"role": "assistant", "content": STREAM_TEXT, "refusal": None}
    choices = [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}]
    return _padded(
        {**_ENVELOPE, "object": "chat.completion", "choices": choices, "usage": _USAGE, "obfuscation": ""}, "obfuscation", REPLY_BYTES
    )


def _event(fields: dict[str, object]) -> bytes:
    value = {**_ENVELOPE, "object": "chat.completion.chunk", **fields, "obfuscation": ""}
    return b"data: " + _padded(value, "obfuscation", EVENT_BYTES - len(b"data: \n\n")) + b"\n\n"


def pieces() -> list[str]:
    """What each content event says."""
    return [f"w{number} " for number in range(CONTENT_EVENTS)]


def stream() -> bytes:
    """The upstream's stream of 52 events."""
    deltas: list[tuple[dict[str, object], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": piece}, None) for piece in pieces()]
    deltas.append(({}, "stop"))
    events = [_event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": None}) for delta, finish in deltas]
    return b"".join((*events, _event({"choices": [], "usage": _USAGE}), b"data: [DONE]\n\n"))


def mock_script() -> bytes:
    """The script of `trunkline mock` for the paced stream, as JSON: the same number of events, one every 10 ms."""
    extra = {"service_tier": "default", "obfuscation": "x" * 90}
    rule = {"answer": {"events": CONTENT_EVENTS, "usage": _USAGE, "usage_place": "always", "extra": extra}, "pace": {"event_ms": PACE_MS}}
    return msgspec.json.encode({"rules": [rule]})


class WrongAnswer(Exception):
    """A gateway's answer is not what the upstream said."""


def check(workload: Workload, status: int, body: bytes, *, events: int = EVENTS) -> None:
    """Raises WrongAnswer unless the status is 200 and all text came, in so many events for a stream."""
    if status != 200:
        raise WrongAnswer(f"status {status}: {body[:300]!r}")
    text = _text(workload, body, events)
    if text != STREAM_TEXT:
        raise WrongAnswer(f"the text is {text[:100]!r}")


def _text(workload: Workload, body: bytes, events: int) -> str:
    if workload.operation == "messages":
        return translations.messages_text(body)
    if workload.stream:
        return _streamed_text(body, EVENTS + TRANSLATED_EVENTS if workload.dialect != "chat" else events)
    text: str = msgspec.json.decode(body)["choices"][0]["message"]["content"]
    return text


def _streamed_text(body: bytes, expected: int) -> str:
    events = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.startswith(b"data: ")]
    if len(events) != expected or events[-1] != b"[DONE]":
        raise WrongAnswer(f"{len(events)} events, the last is {events[-1:]!r}")
    chunks = [msgspec.json.decode(event) for event in events[:-1]]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
