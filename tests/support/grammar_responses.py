"""What a legal stream of the Responses dialect is, as a strict state machine (contract 5.1)."""

from collections.abc import Callable

import msgspec

Event = dict[str, object]

TERMINALS = ("response.completed", "response.incomplete", "response.failed")
DONE = b"data: [DONE]\n\n"


class IllegalStream(AssertionError):
    """The stream breaks a rule."""


def check(data: bytes, *, passed: bool = False) -> "Grammar":
    """Read a whole stream as a client gets it: numbered events, one terminal, and exactly one `data: [DONE]`, which has no name and no
    number and comes last. Raises IllegalStream. `passed`: the numbers are an upstream's own; OpenAI's oldest streams have none."""
    demand(data.endswith(DONE), "no [DONE] at the end")
    events = read(data[: -len(DONE)])
    numbers = [event.get("sequence_number") for event in events]
    demand(numbers == list(range(len(events))) or (passed and set(numbers) == {None}), "the numbers have holes")
    return follow(events)


def follow(events: list[Event]) -> "Grammar":
    """Follow events that make a whole stream."""
    grammar = Grammar()
    for event in events:
        grammar.take(event)
    grammar.end()
    return grammar


def read(data: bytes) -> list[Event]:
    """The events of a stream, whose name and type must agree."""
    events: list[Event] = []
    for frame in data.split(b"\n\n"):
        if not frame:
            continue
        lines = frame.split(b"\n")
        demand(len(lines) == 2 and lines[0].startswith(b"event: ") and lines[1].startswith(b"data: "), f"an odd frame: {frame[:80]!r}")
        event = msgspec.json.decode(lines[1][6:], type=dict[str, object])
        demand(event.get("type") == lines[0][7:].decode(), "the event's name is not its type")
        events.append(event)
    return events


def demand(rule: object, text: str) -> None:
    if not rule:
        raise IllegalStream(text)


class Part:
    """A part of an item: its whole text must be the sum of its deltas."""

    def __init__(self, part: dict[str, object]) -> None:
        self.kind = part["type"]
        self.pieces: list[str] = [str(part.get("text") or part.get("refusal") or "")]
        self.annotations = 0
        self.text_done = False
        self.done = False

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Item:
    """An output item between its `added` and its `done`."""

    def __init__(self, item: dict[str, object]) -> None:
        self.id = item.get("id")
        self.kind = item["type"]
        self.content: list[Part] = []
        self.summary: list[Part] = []
        self.arguments = str(item.get("arguments") or item.get("input") or "")
        self.arguments_done = False
        self.done: dict[str, object] | None = None


class Grammar:
    """Takes events one by one; `response` is the terminal one's."""

    def __init__(self) -> None:
        self.count = 0
        self.items: list[Item] = []
        self.terminal = ""
        self.error: Event | None = None
        self.response: dict[str, object] = {}
        self._rules: dict[str, Callable[[Event], None]] = {
            "response.created": self._lifecycle,
            "response.queued": self._lifecycle,
            "response.in_progress": self._lifecycle,
            "response.output_item.added": self._added,
            "response.output_item.done": self._item_done,
            "response.content_part.added": self._part_added("content", "content_index"),
            "response.content_part.done": self._part_done("content", "content_index"),
            "response.output_text.delta": self._delta("content", "content_index", "output_text"),
            "response.output_text.done": self._text_done("content", "content_index", "text"),
            "response.output_text.annotation.added": self._annotation,
            "response.refusal.delta": self._delta("content", "content_index", "refusal"),
            "response.refusal.done": self._text_done("content", "content_index", "refusal"),
            "response.reasoning_text.delta": self._delta("content", "content_index", "reasoning_text"),
            "response.reasoning_text.done": self._text_done("content", "content_index", "text"),
            "response.reasoning_summary_part.added": self._part_added("summary", "summary_index"),
            "response.reasoning_summary_part.done": self._part_done("summary", "summary_index"),
            "response.reasoning_summary_text.delta": self._delta("summary", "summary_index", "summary_text"),
            "response.reasoning_summary_text.done": self._text_done("summary", "summary_index", "text"),
            "response.function_call_arguments.delta": self._arguments("function_call"),
            "response.function_call_arguments.done": self._arguments_done("function_call", "arguments"),
            "response.custom_tool_call_input.delta": self._arguments("custom_tool_call"),
            "response.custom_tool_call_input.done": self._arguments_done("custom_tool_call", "input"),
            "error": self._failed,
            **dict.fromkeys(TERMINALS, self._ended),
        }

    def take(self, event: Event) -> None:
        kind = str(event["type"])
        demand(not self.terminal, f"{kind} after {self.terminal}")
        if self.count == 0:
            demand(kind in ("response.created", "error"), f"{kind} comes first")
        rule = self._rules.get(kind)
        if rule is not None:
            rule(event)
        else:
            self._of_server_tool(kind, event)
        self.count += 1

    def end(self) -> None:
        demand(self.terminal, "no terminal event")

    def _lifecycle(self, event: Event) -> None:
        demand(not self.items, "a lifecycle event after an item")
        demand((event["type"] == "response.created") == (self.count == 0), "response.created comes once, and first")
        response = event["response"]
        demand(isinstance(response, dict) and response["output"] == [], "a response begins with output")

    def _failed(self, event: Event) -> None:
        demand(self.count == 0, "a bare error where a response has begun")
        demand(isinstance(event["message"], str) and "code" in event and "param" in event, "an error without its fields")
        self.error = event
        self.terminal = "error"

    def _added(self, event: Event) -> None:
        item = event["item"]
        demand(isinstance(item, dict), "no item")
        demand(event["output_index"] == len(self.items), "an item out of its order")
        self.items.append(Item(item))  # type: ignore[arg-type]
        known = [one.id for one in self.items if one.id is not None]
        demand(len(set(known)) == len(known), "two items of one id")

    def _item(self, event: Event) -> Item:
        index = event["output_index"]
        demand(isinstance(index, int) and index < len(self.items), f"{event['type']} for an item that has not begun")
        item = self.items[index]  # type: ignore[index]
        demand(item.done is None, f"{event['type']} after its item was done")
        demand(event.get("item_id", item.id) == item.id, "item_id is another item's")
        return item

    def _part(self, event: Event, place: str, index: str) -> Part:
        parts: list[Part] = getattr(self._item(event), place)
        at = event[index]
        demand(isinstance(at, int) and at < len(parts), f"{event['type']} for a part that has not begun")
        part = parts[at]  # type: ignore[index]
        demand(not part.done, f"{event['type']} after its part was done")
        return part

    def _part_added(self, place: str, index: str) -> Callable[[Event], None]:
        def rule(event: Event) -> None:
            parts: list[Part] = getattr(self._item(event), place)
            demand(event[index] == len(parts), "a part out of its order")
            parts.append(Part(event["part"]))  # type: ignore[arg-type]

        return rule

    def _delta(self, place: str, index: str, kind: str) -> Callable[[Event], None]:
        def rule(event: Event) -> None:
            part = self._part(event, place, index)
            demand(part.kind == kind and not part.text_done, f"{event['type']} does not fit its part")
            part.pieces.append(str(event["delta"]))

        return rule

    def _text_done(self, place: str, index: str, key: str) -> Callable[[Event], None]:
        def rule(event: Event) -> None:
            part = self._part(event, place, index)
            demand(event[key] == part.text, f"{event['type']} is not the sum of its deltas")
            part.text_done = True

        return rule

    def _part_done(self, place: str, index: str) -> Callable[[Event], None]:
        def rule(event: Event) -> None:
            part = self._part(event, place, index)
            whole = event["part"]
            demand(isinstance(whole, dict) and whole.get("text", whole.get("refusal")) == part.text, "a part is not the sum of its deltas")
            demand(part.text_done, "a part is done before its text")
            part.done = True

        return rule

    def _annotation(self, event: Event) -> None:
        part = self._part(event, "content", "content_index")
        demand(event["annotation_index"] == part.annotations, "an annotation out of its order")
        part.annotations += 1

    def _arguments(self, kind: str) -> Callable[[Event], None]:
        def rule(event: Event) -> None:
            item = self._item(event)
            demand(item.kind == kind and not item.arguments_done, f"{event['type']} does not fit its item")
            item.arguments += str(event["delta"])

        return rule

    def _arguments_done(self, kind: str, key: str) -> Callable[[Event], None]:
        def rule(event: Event) -> None:
            item = self._item(event)
            demand(item.kind == kind and event[key] == item.arguments, f"{event['type']} is not the sum of its deltas")
            item.arguments_done = True

        return rule

    def _item_done(self, event: Event) -> None:
        item = self._item(event)
        whole = event["item"]
        demand(isinstance(whole, dict) and whole["type"] == item.kind and whole.get("id") == item.id, "an item has changed")
        assert isinstance(whole, dict)
        for place in ("content", "summary"):
            parts: list[Part] = getattr(item, place)
            demand(all(part.done for part in parts), "an item is done before its parts")
            if item.kind == "message" or parts:
                texts = [one.get("text", one.get("refusal")) for one in whole.get(place) or ()]
                demand(texts == [part.text for part in parts], "an item is not the sum of its parts")
        if item.kind in ("function_call", "custom_tool_call"):
            demand(item.arguments_done, "a call is done before its arguments")
            demand(whole["input" if item.kind == "custom_tool_call" else "arguments"] == item.arguments, "a call has other arguments")
        item.done = whole

    def _of_server_tool(self, kind: str, event: Event) -> None:
        """An event about an item of a server tool, whose steps are its own."""
        family = kind.removeprefix("response.").partition(".")[0]
        item = self._item(event)
        demand(family.startswith(str(item.kind)), f"{kind} is of no known kind")

    def _ended(self, event: Event) -> None:
        self.terminal = str(event["type"])
        response = event["response"]
        demand(isinstance(response, dict) and f"response.{response['status']}" == self.terminal, "the status is not the event's")
        assert isinstance(response, dict)
        self.response = response
        if self.terminal == "response.failed":
            demand(isinstance(response["error"], dict), "a failed response without an error")
            return
        demand(all(item.done is not None for item in self.items) or response.get("error_type"), "the response ends before its items")
        demand(isinstance(response["usage"], dict), "the response ends without usage")
        ids = [item.get("id") for item in response["output"]]
        demand(ids == [item.id for item in self.items], "the response holds other items")
