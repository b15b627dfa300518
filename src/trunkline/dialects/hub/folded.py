"""What an answer tells that is kept as the fold of its events (`translation.Seen`)."""

from collections.abc import Sequence

from trunkline.dialects.hub.answer import Answer, AnswerBlock
from trunkline.dialects.hub.translation import SeenCall
from trunkline.errors import UpstreamError


class CallSeen:
    """A tool call for the validity check. A function that is called without arguments is called with `{}`, which is what clients get."""

    __slots__ = ("_block",)

    def __init__(self, block: AnswerBlock) -> None:
        self._block = block

    @property
    def name(self) -> str:
        return self._block.name

    @property
    def arguments(self) -> str:
        return self._block.joined("arguments") or "{}"


class Folded:
    """The facts of `_answer`, which who inherits this folds."""

    def __init__(self) -> None:
        self._answer = Answer()

    @property
    def usage(self) -> dict[str, object] | None:
        return self._answer.usage

    @property
    def upstream_id(self) -> str | None:
        return self._answer.id

    @property
    def service_tier(self) -> str | None:
        return self._answer.service_tier

    @property
    def error(self) -> UpstreamError | None:
        return self._answer.error

    @property
    def finish_reason(self) -> str | None:
        return None if self._answer.finish is None else self._answer.finish.reason

    @property
    def native_finish_reason(self) -> str | None:
        return None if self._answer.finish is None else self._answer.finish.native

    @property
    def output_chars(self) -> int:
        return self._answer.output_chars

    @property
    def tool_calls(self) -> Sequence[SeenCall]:
        """The calls of functions; the free text of a custom tool can't be checked."""
        return [CallSeen(block) for block in self._answer.tool_calls if not block.custom]
