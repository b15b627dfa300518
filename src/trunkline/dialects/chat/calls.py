"""Tool calls in answers: put together from deltas, with the ids, indexes and separations that upstreams forget (adapters 2.4, class 4)."""

import hashlib
from collections.abc import Sequence

import msgspec


class Call:
    """One tool call as far as it is known. `arguments` is the JSON text, or the free text of a `custom` tool."""

    def __init__(self, slot: int, identifier: str, name: str, *, custom: bool = False) -> None:
        self.slot = slot
        self.id = identifier
        self.name = name
        self.custom = custom
        self.fragments: list[str] = []

    @property
    def arguments(self) -> str:
        return "".join(self.fragments)


class CallAssembler:
    """Gives each call of one choice its own index and id. `seed` makes the ids that are minted. The caller adds the arguments that
    `place` found."""

    def __init__(self, seed: str) -> None:
        self.calls: list[Call] = []
        self._seed = seed
        self._by_index: dict[int, Call] = {}
        self._pending: dict[int, str] = {}

    def place(self, items: Sequence[object]) -> list[tuple[Call, str, dict[str, object]]]:
        """For each item of a `tool_calls` array: its call, the arguments it adds, and the item as a client should get it."""
        self._pending.clear()
        placed = []
        for position, item in enumerate(items):
            if isinstance(item, dict):
                call, arguments, out = self._place(item, position)
                self._pending[call.slot] = self._pending.get(call.slot, "") + arguments
                placed.append((call, arguments, out))
        return placed

    def at(self, index: int) -> Call | None:
        """The call that arguments for the upstream's `index` continue."""
        return self._by_index.get(index)

    def _place(self, item: dict[str, object], position: int) -> tuple[Call, str, dict[str, object]]:
        custom = isinstance(item.get("custom"), dict) and (item.get("type") == "custom" or not isinstance(item.get("function"), dict))
        kind, key = ("custom", "input") if custom else ("function", "arguments")
        function = item.get(kind)
        function = function if isinstance(function, dict) else {}
        name = function.get("name")
        name = name if isinstance(name, str) else ""
        arguments = _text(function.get(key))
        identifier = item.get("id")
        identifier = identifier if isinstance(identifier, str) else ""
        index = item.get("index")
        known = self._find(index if isinstance(index, int) else None, position, identifier, name)
        call = known or self._begin(identifier, name, custom=custom)
        self._by_index[index if isinstance(index, int) else call.slot] = call
        out = {key: value for key, value in item.items() if key not in ("index", "id", "type", "function", "custom")}
        rest = {field: value for field, value in function.items() if field not in ("name", key)}
        if known is None:
            head: dict[str, object] = {"index": call.slot, "id": call.id, "type": kind}
            return call, arguments, {**head, **out, kind: {"name": name, key: arguments, **rest}}
        if name and not known.name:
            known.name = name
            rest["name"] = name
        return call, arguments, {"index": call.slot, **out, kind: {**rest, key: arguments}}

    def _find(self, index: int | None, position: int, identifier: str, name: str) -> Call | None:
        """The call an item continues. A new id, or a new name after complete arguments, begins another call although the index is the
        same."""
        if identifier:
            same = next((call for call in self.calls if call.id == identifier), None)
            if same is not None:
                return same
        call = self._by_index.get(index) if index is not None else self._latest(position, name)
        if call is None or (identifier and name):
            return None
        return None if name and call.name and _complete(call.arguments + self._pending.get(call.slot, "")) else call

    def _latest(self, position: int, name: str) -> Call | None:
        if name or not self.calls:
            return None
        return self.calls[-1] if position == 0 else self._by_index.get(position)

    def _begin(self, identifier: str, name: str, *, custom: bool) -> Call:
        slot = len(self.calls)
        minted = hashlib.sha256(f"{self._seed}:{slot}".encode()).hexdigest()[:24]
        call = Call(slot, identifier or f"call_{minted}", name, custom=custom)
        self.calls.append(call)
        return call


def _text(arguments: object) -> str:
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else msgspec.json.encode(arguments).decode()


def _complete(arguments: str) -> bool:
    try:
        msgspec.json.decode(arguments)
    except msgspec.DecodeError:
        return False
    return True
