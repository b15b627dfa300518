"""The grammar of a Messages stream as a strict state machine: what Anthropic's stream may look like, and nothing else.

`fold` reads a whole stream and gives the message it makes, as the official SDKs do; an illegal stream fails the test by AssertionError.
"""

import json

DELTAS = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
    "server_tool_use": {"input_json_delta"},
    "mcp_tool_use": {"input_json_delta"},
    "compaction": {"compaction_delta"},
}
STOP_REASONS = {
    *("end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"),
    *("model_context_window_exceeded", "compaction"),
}
USAGE = {
    *("input_tokens", "output_tokens", "output_tokens_details", "cache_creation_input_tokens", "cache_read_input_tokens"),
    "server_tool_use",
}
START_USAGE = USAGE | {"cache_creation", "inference_geo", "service_tier"}
MESSAGE = {"id", "type", "role", "container", "content", "model", "stop_reason", "stop_details", "stop_sequence", "usage"}


def events(data: bytes):
    """(name, data) of each event; frames must be exactly `event:` and `data:` lines."""
    assert data.endswith(b"\n\n") or not data
    for frame in data.split(b"\n\n")[:-1]:
        name, _, payload = frame.partition(b"\n")
        assert name.startswith(b"event: "), frame
        assert payload.startswith(b"data: "), frame
        assert b"\n" not in payload
        document = json.loads(payload[6:])
        assert document["type"] == name[7:].decode()
        yield name[7:].decode(), document


class Grammar:
    """Takes events one by one. `message` is what they make; `ended` after `message_stop`, `error` after an error event.

    `passed`: the fields are an upstream's own, whose older answers lack some that ours always have.
    """

    def __init__(self, *, passed=False):
        self.passed = passed
        self.message = None
        self.open = None
        self.partial = ""
        self.delta_seen = False
        self.ended = False
        self.error = None

    def feed(self, data: bytes) -> None:
        for name, document in events(data):
            assert not self.ended, f"{name} after the end"
            assert self.error is None, f"{name} after an error"
            getattr(self, "on_" + name)(document)

    def close(self):
        """The whole message."""
        assert self.ended, "no message_stop"
        return self.message

    def on_ping(self, document):
        pass

    def on_error(self, document):
        assert document["error"]["message"]
        assert document["error"]["type"]
        self.error = document

    def on_message_start(self, document):
        assert self.message is None, "a second message_start"
        message = document["message"]
        assert self.passed or message.keys() >= MESSAGE, MESSAGE - message.keys()
        assert message["content"] == []
        assert message["stop_reason"] is None
        assert message["role"] == "assistant"
        assert self.passed or message["usage"].keys() >= START_USAGE, START_USAGE - message["usage"].keys()
        self.message = message

    def on_content_block_start(self, document):
        assert self.message is not None, "a block before message_start"
        assert not self.delta_seen, "a block after message_delta"
        assert self.open is None, "a block inside a block"
        assert document["index"] == len(self.message["content"])
        block = document["content_block"]
        if block["type"] == "text":
            assert block["text"] == ""
            assert self.passed or "citations" in block
        if block["type"] == "tool_use":
            assert block["id"]
            assert block["input"] == {}
            assert self.passed or "caller" in block
        if block["type"] == "thinking":
            assert (block["thinking"], block["signature"]) == ("", "")
        self.open = block
        self.partial = ""
        self.message["content"].append(block)

    def on_content_block_delta(self, document):
        assert self.open is not None, "a delta outside a block"
        assert document["index"] == len(self.message["content"]) - 1
        delta = document["delta"]
        assert delta["type"] in DELTAS[self.open["type"]], (self.open["type"], delta["type"])
        match delta["type"]:
            case "text_delta":
                self.open["text"] += delta["text"]
            case "thinking_delta":
                self.open["thinking"] += delta["thinking"]
            case "signature_delta":
                self.open["signature"] = delta["signature"]
            case "input_json_delta":
                self.partial += delta["partial_json"]
            case "citations_delta":
                self.open["citations"] = [*(self.open.get("citations") or []), delta["citation"]]
            case "compaction_delta":
                self.open["content"] = delta["content"]

    def on_content_block_stop(self, document):
        assert self.open is not None, "a stop outside a block"
        assert document["index"] == len(self.message["content"]) - 1
        if self.partial:
            self.open["input"] = json.loads(self.partial)
        self.open = None

    def on_message_delta(self, document):
        assert self.message is not None
        assert self.open is None, "message_delta inside a block"
        assert not self.delta_seen, "a second message_delta"
        delta = document["delta"]
        assert self.passed or delta.keys() >= {"container", "stop_details", "stop_reason", "stop_sequence"}
        assert delta["stop_reason"] in STOP_REASONS, delta["stop_reason"]
        assert self.passed or document["usage"].keys() >= USAGE
        self.delta_seen = True
        self.message.update(delta)
        self.message["usage"] = {**self.message["usage"], **{key: value for key, value in document["usage"].items() if value is not None}}

    def on_message_stop(self, document):
        assert self.delta_seen, "message_stop without message_delta"
        if "openrouter_metadata" in document:
            self.message["openrouter_metadata"] = document["openrouter_metadata"]
        self.ended = True


def fold(data: bytes, *, passed=False):
    """The message of a complete, legal stream."""
    grammar = Grammar(passed=passed)
    grammar.feed(data)
    return grammar.close()


def fold_loosely(payloads):
    """The message of any stream of Anthropic's, whose older events lack fields that ours always have."""
    message, partial = {}, ""
    for payload in payloads:
        event = json.loads(payload)
        delta = event.get("delta") or {}
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                message["content"].append(event["content_block"])
                partial = ""
            case "content_block_delta":
                partial += delta.get("partial_json", "")
                _add(message["content"][-1], delta)
            case "content_block_stop" if partial:
                message["content"][-1]["input"] = json.loads(partial)
            case "message_delta":
                message |= delta
                message["usage"] |= {key: value for key, value in event["usage"].items() if value is not None}
    return message


def _add(block, delta):
    for key in ("text", "thinking"):
        if key in delta:
            block[key] += delta[key]
    for key in ("signature", "content"):
        if key in delta:
            block[key] = delta[key]
    if "citation" in delta:
        block["citations"] = [*(block.get("citations") or []), delta["citation"]]
