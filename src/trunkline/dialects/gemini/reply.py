"""The answer of generateContent as it stands on the wire: a whole one, or one event of a stream (`GenerateContentResponse`)."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from trunkline.dialects import loose

ABSENT: Final = Raw()
"""A raw field that did not come."""


class Call(Struct):
    """A call of a function; `args` is an object."""

    name: str | None = None
    args: Raw = ABSENT
    id: str | None = None


class Blob(Struct):
    """Bytes in base64."""

    mimeType: str = ""  # noqa: N815 - the wire's name
    data: str = ""


class FileAddress(Struct):
    """Bytes by address."""

    mimeType: str = ""  # noqa: N815
    fileUri: str = ""  # noqa: N815


class Part(Struct):
    """One part. Fields of server tools are kept raw."""

    text: str | None = None
    thought: bool | None = None
    thoughtSignature: str | None = None  # noqa: N815
    functionCall: Call | None = None  # noqa: N815
    inlineData: Blob | None = None  # noqa: N815
    fileData: FileAddress | None = None  # noqa: N815
    executableCode: Raw = ABSENT  # noqa: N815
    codeExecutionResult: Raw = ABSENT  # noqa: N815
    toolCall: Raw = ABSENT  # noqa: N815
    toolResponse: Raw = ABSENT  # noqa: N815


class Content(Struct):
    """The parts of an answer; none when it was blocked."""

    parts: Sequence[Part] | None = None


class Candidate(Struct):
    """One answer. `finishReason` ends it; what `evidence` reads is kept raw, so that no oddity in it can spoil the answer."""

    content: Content | None = None
    finishReason: str | None = None  # noqa: N815
    finishMessage: str | None = None  # noqa: N815
    index: int | None = None
    groundingMetadata: Raw = ABSENT  # noqa: N815
    logprobsResult: Raw = ABSENT  # noqa: N815


class Feedback(Struct):
    """Why a prompt was refused."""

    blockReason: str | None = None  # noqa: N815
    blockReasonMessage: str | None = None  # noqa: N815


class Document(Struct):
    """A whole answer or one event."""

    candidates: Sequence[Candidate] | None = None
    promptFeedback: Feedback | None = None  # noqa: N815
    usageMetadata: dict[str, object] | None = None  # noqa: N815
    responseId: str | None = None  # noqa: N815
    error: object = None


_DECODER: msgspec.json.Decoder[Document | list[Document]] = msgspec.json.Decoder(Document | list[Document])


def read(data: bytes) -> Sequence[Document]:
    """The documents in a payload: one, or those of an array (errors come as an array of one). Raises MalformedResponse."""
    found = loose.read(data, _DECODER, "generateContent")
    return found if isinstance(found, list) else (found,)
