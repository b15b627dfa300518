"""The workloads in which client and upstream speak different dialects: what is asked, what the upstream answers. Pure.

The streams say the same text in as many pieces as the chat stream of `workload`.
"""

import msgspec

_MESSAGE: dict[str, object] = {
    "id": "msg_bench00000001",
    "type": "message",
    "role": "assistant",
    "model": "bench-1",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
}
_USAGE: dict[str, object] = {"input_tokens": 120, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1}


def messages_request(model: str, system: str, question: str) -> bytes:
    """A streaming request as the Anthropic SDK sends it."""
    return msgspec.json.encode(
        {
            "model": model,
            "max_tokens": 256,
            "temperature": 0.2,
            "system": system,
            "messages": [{"role": "user", "content": question}],
            "stream": True,
        }
    )


def messages_stream(pieces: list[str]) -> bytes:
    """An Anthropic stream that says these pieces."""
    events: list[dict[str, object]] = [
        {"type": "message_start", "message": {**_MESSAGE, "usage": _USAGE}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *[{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}} for piece in pieces],
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 48}},
        {"type": "message_stop"},
    ]
    return b"".join(b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), msgspec.json.encode(event)) for event in events)


def messages_text(body: bytes) -> str:
    """The text that a client of the Messages dialect reads; "" for a stream without its end."""
    events = [msgspec.json.decode(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: ")]
    if not events or events[-1]["type"] != "message_stop":
        return ""
    return "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")
