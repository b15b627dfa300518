"""A strict reader of chat streams (contract 2.5): every byte that goes to a client must fit one state machine.

Written from the contract alone; it shares nothing with the encoders that it checks.
"""

import base64
from typing import Any

import msgspec

LEAD = ("id", "object", "created", "model", "provider")
DELTA = {
    "role": str,
    "content": str | None,
    "refusal": str | None,
    "reasoning": str | None,
    "reasoning_details": list,
    "tool_calls": list,
    "annotations": list,
    "images": list,
    "audio": dict,
}
DETAILS = {"reasoning.text": {"text", "signature"}, "reasoning.summary": {"summary"}, "reasoning.encrypted": {"data"}}
REASONS = {"stop", "length", "tool_calls", "content_filter", "error"}


class Illegal(AssertionError):
    """The stream breaks a rule."""


def must(holds: object, rule: str) -> None:
    """Raises Illegal unless a rule holds."""
    if not holds:
        raise Illegal(rule)


class ChatGrammar:
    """Reads one stream. `feed` takes its bytes as they come, `end` checks that it is complete; the answer is in the fields.

    `passed`: the chunks are an upstream's own, lightly patched, so that they may leave out the role, say null for what is not there, and
    have further fields and chunks without choices.
    """

    def __init__(self, *, legacy: bool = False, passed: bool = False) -> None:
        self.content = ""
        self.reasoning = ""
        self.refusal = ""
        self.calls: list[dict[str, Any]] = []
        self.details: list[dict[str, Any]] = []
        self.annotations: list[object] = []
        self.images: list[dict[str, Any]] = []
        self.audio = b""
        self.logprobs: list[object] = []
        self.finish_reason: str | None = None
        self.native: str | None = None
        self.usage: dict[str, Any] | None = None
        self.error: dict[str, Any] | None = None
        self.metadata: object = None
        self.done = False
        self._legacy = legacy
        self._passed = passed
        self._lead: tuple[object, ...] | None = None
        self._begun = False

    def feed(self, data: bytes) -> None:
        """Take bytes that end with a whole event."""
        if not data:
            return
        must(data.endswith(b"\n\n"), "events end with an empty line")
        for event in data[:-2].split(b"\n\n"):
            must(b"\n" not in event, "an event has one line")
            if event.startswith(b":"):
                continue
            must(event.startswith(b"data: "), "an event is data")
            must(not self.done, "nothing follows [DONE]")
            if event == b"data: [DONE]":
                self.done = True
            else:
                self._chunk(msgspec.json.decode(event[6:]))

    def end(self) -> None:
        """The stream is complete: finish reason, usage (unless it failed) and [DONE] have come, and calls have whole arguments."""
        must(self.done, "the stream ends with [DONE]")
        must(self.finish_reason is not None, "a finish reason comes")
        if self.error is not None:
            return
        must(self.usage is not None, "usage comes")
        must(self.finish_reason == "tool_calls" if self.calls else self.finish_reason != "tool_calls", "calls end with tool_calls")
        for call in self.calls:
            if call["type"] == "function":
                msgspec.json.decode(call["text"])

    def _chunk(self, chunk: dict[str, Any]) -> None:
        lead = tuple(chunk.get(key) for key in LEAD)
        must(None not in lead, "every chunk names id, object, created, model and provider")
        must(self._lead in (None, lead), "the lead never changes")
        must(lead[1] == ("text_completion" if self._legacy else "chat.completion.chunk"), "object")
        self._lead = lead
        must(self.error is None and self.usage is None, "usage and errors come last")
        if "error" in chunk:
            self._failed(chunk)
        elif chunk["choices"]:
            must("usage" not in chunk, "usage comes without choices")
            self._choice(chunk["choices"])
        elif not self._passed or "usage" in chunk:
            must(self.finish_reason is not None, "usage follows the finish reason")
            self.usage = chunk["usage"]
            must({"prompt_tokens", "completion_tokens", "total_tokens", "cost"} <= self.usage.keys(), "usage is complete")
            self.metadata = chunk.get("openrouter_metadata")

    def _failed(self, chunk: dict[str, Any]) -> None:
        self.error = chunk["error"]
        must({"code", "message", "metadata"} <= self.error.keys(), "an error names code, message and metadata")
        (choice,) = chunk["choices"]
        must(choice["finish_reason"] == "error", "an error chunk ends with error")
        must(self.finish_reason is None, "one finish reason")
        self.finish_reason = "error"

    def _choice(self, choices: list[dict[str, Any]]) -> None:
        must(len(choices) == 1 and choices[0]["index"] == 0, "one choice")
        choice = choices[0]
        must(self.finish_reason is None, "nothing follows the finish reason")
        must({"finish_reason", "native_finish_reason"} <= choice.keys(), "both finish reasons are named")
        if self._legacy:
            must(isinstance(choice["text"], str) and "delta" not in choice, "legacy choices carry text")
            self.content += choice["text"]
        else:
            self._delta(choice["delta"])
        if choice.get("logprobs"):
            self.logprobs.extend(choice["logprobs"]["content"] or ())
        if choice["finish_reason"] is not None:
            must(choice["finish_reason"] in REASONS, "a finish reason of the contract")
            self.finish_reason, self.native = choice["finish_reason"], choice["native_finish_reason"]

    def _delta(self, delta: dict[str, Any]) -> None:
        must(self._begun or self._passed or delta.get("role") == "assistant", "the first delta names the role")
        self._begun = True
        if self._passed:
            delta = {key: value for key, value in delta.items() if key in DELTA and value is not None}
        for key, value in delta.items():
            must(key in DELTA and isinstance(value, DELTA[key]), f"a delta of the contract, not {key}: {value!r}")
        self.content += delta.get("content") or ""
        self.reasoning += delta.get("reasoning") or ""
        self.refusal += delta.get("refusal") or ""
        self.annotations.extend(delta.get("annotations", ()))
        for item in delta.get("reasoning_details", ()):
            self._detail(item)
        for image in delta.get("images", ()):
            must(image["type"] == "image_url" and image["image_url"]["url"], "an image has a URL")
            self.images.append(image)
        self.audio += base64.b64decode(delta.get("audio", {}).get("data", ""), validate=True)
        for call in delta.get("tool_calls", ()):
            self._call(call)

    def _detail(self, item: dict[str, Any]) -> None:
        must(item["type"] in DETAILS, "a type of detail")
        said = item.keys() - {"type", "id", "format", "index"}
        must(said and said <= DETAILS[item["type"]], "a detail says what its type is for")
        must(isinstance(item["format"], str) and isinstance(item["index"], int), "a detail names format and index")
        last = self.details[-1] if self.details else None
        if last is not None and (last["index"], last["type"]) == (item["index"], item["type"]):
            must(last["format"] == item["format"] and last.get("id") == item.get("id"), "pieces of one detail agree")
            for key in said:
                last[key] = last.get(key, "") + item[key]
        else:
            must(last is None or item["index"] in (last["index"], last["index"] + 1), "indexes rise by one")
            self.details.append(dict(item))

    def _call(self, call: dict[str, Any]) -> None:
        index = call["index"]
        if index == len(self.calls):
            kind, key = ("custom", "input") if call["type"] == "custom" else ("function", "arguments")
            must(call["id"] and call[kind]["name"], "a call begins with id and name")
            must(call["id"] not in [one["id"] for one in self.calls], "ids differ")
            self.calls.append({"id": call["id"], "type": kind, "name": call[kind]["name"], "text": call[kind][key]})
            return
        must(index < len(self.calls), "calls are numbered as they begin")
        known = self.calls[index]
        must("id" not in call and call.keys() <= {"index", "type", known["type"]}, "a call begins once")
        known["text"] += call[known["type"]]["input" if known["type"] == "custom" else "arguments"]


def read(data: bytes, *, legacy: bool = False, passed: bool = False) -> ChatGrammar:
    """A whole stream. Raises Illegal when it breaks a rule."""
    grammar = ChatGrammar(legacy=legacy, passed=passed)
    grammar.feed(data)
    grammar.end()
    return grammar
