"""The nine events of an answer, free of any dialect (docs/architecture.md, "Translation").

An upstream decoder makes them, of a stream as of a whole body; a client encoder writes them. Blocks are numbered from 0 in the order in
which they begin and do not repeat; deltas of several blocks may be mixed. A block that is not stopped ends with the answer.
"""

from typing import Literal

from msgspec import Raw, Struct

from trunkline.errors import UpstreamError

BlockKind = Literal["text", "reasoning", "tool_call", "refusal"]
DeltaKind = Literal["text", "arguments", "summary", "signature", "data", "annotation", "logprobs"]


class Start(Struct, frozen=True, gc=False):
    """The upstream has begun: its own id of the answer, where it gave one."""

    id: str | None = None


class BlockStart(Struct, frozen=True, gc=False):
    """A block begins. `id` and `name` are those of a tool call (both always given: a decoder mints a missing id); for reasoning `id` is the
    item's and `format` its family (contract 2.7). `custom` marks a call whose arguments are free text."""

    index: int
    kind: BlockKind = "text"
    id: str | None = None
    name: str = ""
    format: str = "unknown"
    custom: bool = False


class Delta(Struct, frozen=True, gc=False):
    """A piece of a block.

    `text` for text, refusal, and reasoning text; `arguments` for a tool call; `summary`, `signature` and `data` (encrypted) for reasoning;
    `annotation` (a citation as JSON, in the chat wire's shape) and `logprobs` (a JSON list of the chat wire's entries) for text.
    """

    index: int
    kind: DeltaKind
    text: str


class BlockStop(Struct, frozen=True, gc=False):
    """A block has ended."""

    index: int


class UsageSeen(Struct, frozen=True):
    """Usage as the upstream words it, cumulative: `raw` is merged over what came before, field by field. `service_tier` is the tier that
    served, where the upstream said."""

    raw: dict[str, object]
    service_tier: str | None = None


class Finish(Struct, frozen=True, gc=False):
    """The answer has ended: `reason` is one of stop, length, tool_calls, content_filter; `native` the upstream's own word. `stop_sequence`
    is the one that matched."""

    reason: Literal["stop", "length", "tool_calls", "content_filter"]
    native: str | None = None
    stop_sequence: str | None = None


class Failure(Struct, frozen=True):
    """The upstream said that it failed, instead of or after content. Nothing follows."""

    error: UpstreamError


class Media(Struct, frozen=True, gc=False):
    """A picture or sound the model made: base64 `data` with its type, or a `url`. `transcript` goes with sound, `id` where given."""

    kind: Literal["image", "audio"]
    media_type: str = ""
    data: str = ""
    url: str = ""
    transcript: str = ""
    id: str | None = None


class OpaqueEvent(Struct, frozen=True):
    """Something that only clients of the same dialect understand, as JSON (server tool items, for example)."""

    dialect: str
    raw: Raw


Event = Start | BlockStart | Delta | BlockStop | UsageSeen | Finish | Failure | Media | OpaqueEvent
