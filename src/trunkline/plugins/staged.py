"""All stages of one request, for each endpoint that is tried."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from trunkline.dialects.hub.answer import Answer
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.translation import Encoder
from trunkline.errors import ApiError
from trunkline.plugins.files.annotated import Annotated
from trunkline.plugins.files.annotations import annotation
from trunkline.plugins.files.parsing import FileParsing
from trunkline.plugins.stage import Note, Stage
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.request import InboundRequest

LONG_ANSWER: Final = 256
"""Characters above which an answer is revised in a thread, so that nobody else waits for it."""


class Staged:
    """What stages make of one request. `base` is the conversation as it came, with the bytes of its files where they are needed;
    `more_bytes` is text that stages add to the prompt, `most_tokens` what the prompt is compressed to at most (None = not at all)."""

    def __init__(
        self,
        base: Conversation,
        stages: Sequence[Stage],
        *,
        files: FileParsing | None = None,
        more_bytes: int = 0,
        most_tokens: int | None = None,
    ) -> None:
        self.base = base
        self.more_bytes = more_bytes
        self.most_tokens = most_tokens
        self._files = files
        self._stages = stages if files is None else (files, *stages)
        self._revises = any(stage.revises for stage in self._stages)
        self._last: tuple[Conversation, Endpoint, Conversation] | None = None
        self._before: list[Note] = []
        self._after: list[Note] = []

    def with_stage(self, stage: Stage, *, most_tokens: int | None) -> "Staged":
        """These stages and one more."""
        stages = [one for one in self._stages if one is not self._files]
        return Staged(self.base, [*stages, stage], files=self._files, more_bytes=self.more_bytes, most_tokens=most_tokens)

    @property
    def notes(self) -> list[Note]:
        """What was done for the endpoint that was tried last."""
        return [*self._before, *self._after]

    def applied(self, conversation: Conversation, endpoint: Endpoint) -> Conversation:
        """The conversation for an endpoint; the same object where no stage changes it."""
        last = self._last
        if last is not None and last[0] is conversation and last[1] is endpoint:
            return last[2]
        made, self._before = conversation, []
        for stage in self._stages:
            made, note = stage.before(made, endpoint)
            self._before += [] if note is None else [note]
        self._last = (conversation, endpoint, made)
        return made

    def edits(self, conversation: Conversation, endpoint: Endpoint) -> bool:
        """Whether the request or its answer is changed for an endpoint, so that it can't pass through."""
        return self._revises or self.applied(conversation, endpoint) is not conversation

    async def revised(self, answer: Answer) -> Answer:
        """The answer as the client gets it."""
        if not self._revises:
            return answer
        return await asyncio.to_thread(self._revised, answer) if answer.output_chars > LONG_ANSWER else self._revised(answer)

    def _revised(self, answer: Answer) -> Answer:
        self._after = []
        for stage in self._stages:
            answer, note = stage.after(answer)
            self._after += [] if note is None else [note]
        return answer

    def encoder(self, encoder: Encoder, request: InboundRequest, endpoint: Endpoint) -> Encoder:
        """The client's encoder, which tells of the files that were read, where its dialect has a place for that."""
        if request.dialect != "chat" or self._files is None or self._files.reads(endpoint) or not self._files.fresh:
            return encoder
        return Annotated(encoder, [msgspec.json.encode(annotation(file)).decode() for file in self._files.fresh])

    def explain(self, error: ApiError) -> None:
        """Add the files that were read to the error of a request that no provider answered: the next try need not read them again."""
        if self._files is not None and self._files.fresh:
            told = [annotation(file) for file in self._files.fresh]
            error.metadata = {**(error.metadata or {}), "file_annotations": told}
