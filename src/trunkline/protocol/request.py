"""An inference request as every part of the gateway may know it, whatever its dialect."""

from msgspec import Raw, Struct

from trunkline.protocol.catalogue import Dialect
from trunkline.protocol.routing import NO_PREFERENCES, Preferences


class Chosen(Struct, frozen=True, gc=False):
    """What a router made of a request (contract 3.7): its slug, empty for `~author/family-latest`; the kind of task, where it looked at
    that; and the text that it answers itself, None where models answer.

    `conversation`: under which the router remembers which model served, None where it does not. `standbys`: models of
    which one takes the place of another only after a failure that passes, not where the request was refused.
    """

    router: str
    task: str = ""
    answer: str | None = None
    conversation: tuple[str, str, object] | None = None
    standbys: tuple[str, ...] = ()


class InboundRequest(Struct, frozen=True, kw_only=True):
    """One parsed and checked request. Each inbound dialect extends it with what only its own translation needs.

    `fields`: top-level keys in the caller's order with their bytes. `models`: the model named first, then the fallbacks, each once.
    `max_tokens`: the caller's output limit. `parameters`: the names used that constrain endpoints, in the vocabulary of
    `supported_parameters`. `modalities`: those of the input beside text. `prompt_bytes`: text bytes without media, for the token estimate.
    `outputs`: the output modalities of which the model must have one; none = any will do. `reasoning_excluded`: the caller does not want to
    see reasoning; `reasoning_off`: it wants none to happen. `chosen`: the request named a router, and `models` are those that it stands
    for. `region`: where it must stay, by the host it was sent to (`protocol.regions`), empty = anywhere.
    """

    dialect: Dialect
    fields: dict[str, Raw]
    model: str | None = None
    models: tuple[str, ...] = ()
    stream: bool = False
    max_tokens: int | None = None
    parameters: frozenset[str] = frozenset()
    modalities: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    prompt_bytes: int = 0
    preferences: Preferences = NO_PREFERENCES
    reasoning_excluded: bool = False
    reasoning_off: bool = False
    session_id: str | None = None
    user: str | None = None
    chosen: Chosen | None = None
    region: str = ""
