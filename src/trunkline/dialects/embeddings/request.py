"""What a caller sends to `POST /embeddings`, checked. Errors are ApiError("invalid_request") that name the field."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from trunkline.dialects.body import read_body
from trunkline.dialects.oneshot import OneShotRequest
from trunkline.dialects.preferences import PreferencesWire, preferences
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Dialect

MAX_INPUTS = 10_000
"""A bound of our own: the contract has none."""
BYTES_PER_TOKEN_ID = 4
MODALITIES = {"text": None, "image_url": "image", "input_audio": "audio", "input_video": "video", "file": "file", "input_file": "file"}
"""The modality of each kind of content part; None is text."""

Tokens = list[int]
Input = str | Tokens | tuple[dict[str, Any], ...]
"""One input: text, token ids, or the parts of one that has media."""


class PartsWire(Struct):
    content: Annotated[list[dict[str, Any]], Meta(min_length=1)]


class EmbeddingsWire(Struct):
    model: Annotated[str, Meta(min_length=1)]
    input: str | list[str | int | list[int] | PartsWire]
    dimensions: Annotated[int, Meta(ge=1)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    input_type: str | None = None
    provider: PreferencesWire | None = None
    user: Annotated[str, Meta(max_length=256)] | None = None
    session_id: Annotated[str, Meta(max_length=256)] | None = None


class EmbeddingsRequest(OneShotRequest, frozen=True, kw_only=True):
    """One request. `base64`: vectors are wanted as base64."""

    dialect: Dialect = "chat"
    inputs: tuple[Input, ...]
    dimensions: int | None = None
    base64: bool = False
    input_type: str | None = None


_READ = msgspec.json.Decoder(EmbeddingsWire)


def parse(body: bytes) -> EmbeddingsRequest:
    """Read a request for embeddings. Raises ApiError("invalid_request") that names the field."""
    raw, wire = read_body(body, _READ)
    inputs = _inputs(wire.input)
    return EmbeddingsRequest(
        fields=raw,
        model=wire.model,
        models=(wire.model,),
        inputs=inputs,
        dimensions=wire.dimensions,
        base64=wire.encoding_format == "base64",
        input_type=wire.input_type,
        outputs=frozenset(("embeddings",)),
        modalities=_modalities(inputs),
        prompt_bytes=sum(_text_bytes(one) for one in inputs),
        preferences=preferences(wire.provider),
        user=wire.user,
        session_id=wire.session_id,
    )


def _inputs(given: str | list[str | int | list[int] | PartsWire]) -> tuple[Input, ...]:
    if isinstance(given, str):
        given = [given]
    if not given:
        raise ApiError("invalid_request", "input: Expected at least one input")
    if isinstance(given[0], int):
        if not all(isinstance(one, int) for one in given):
            raise ApiError("invalid_request", "input: Token ids cannot be mixed with other inputs")
        return (given,)  # type: ignore[return-value]  # a list of token ids is one input
    if len(given) > MAX_INPUTS:
        raise ApiError("invalid_request", f"input: At most {MAX_INPUTS} inputs")
    return tuple([_input(one, index) for index, one in enumerate(given)])


def _input(one: str | int | list[int] | PartsWire, index: int) -> Input:
    if isinstance(one, int):
        raise ApiError("invalid_request", f"input[{index}]: Token ids cannot be mixed with other inputs")
    if isinstance(one, PartsWire):
        return tuple([_part(part, f"input[{index}].content[{at}]") for at, part in enumerate(one.content)])
    if not one:
        raise ApiError("invalid_request", f"input[{index}]: Expected text or token ids, got nothing")
    return one


def _part(part: dict[str, Any], where: str) -> dict[str, Any]:
    kind = part.get("type")
    if kind not in MODALITIES:
        raise ApiError("invalid_request", f"{where}.type: Expected one of {', '.join(MODALITIES)}")
    if kind == "text" and not (isinstance(part.get("text"), str) and part["text"]):
        raise ApiError("invalid_request", f"{where}.text: Expected text")
    if kind == "image_url" and not isinstance((part.get("image_url") or {}).get("url") if _is_object(part, "image_url") else None, str):
        raise ApiError("invalid_request", f"{where}.image_url.url: Expected a URL")
    return part


def _is_object(part: dict[str, Any], key: str) -> bool:
    return isinstance(part.get(key), dict)


def _modalities(inputs: tuple[Input, ...]) -> frozenset[str]:
    kinds = {MODALITIES[part["type"]] for one in inputs if isinstance(one, tuple) for part in one}
    return frozenset(kind for kind in kinds if kind is not None)


def _text_bytes(one: Input) -> int:
    if isinstance(one, str):
        return len(one.encode())
    if isinstance(one, list):
        return BYTES_PER_TOKEN_ID * len(one)
    return sum(len(part["text"].encode()) for part in one if part["type"] == "text")
