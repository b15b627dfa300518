"""Judges an answer by the evidence that was kept of it, and notes the verdict in its record."""

from msgspec import structs

from trunkline.metering.structured import FormEvidence, FormJudge
from trunkline.metering.tool_calls import ToolEvidence, ToolJudge
from trunkline.protocol.generation import GenerationRecord

Evidence = ToolEvidence | FormEvidence
"""An answer that calls tools is judged by its calls, any other by its form."""


class Judge:
    """For one thread at a time, which should be no event loop's."""

    def __init__(self) -> None:
        self._calls = ToolJudge()
        self._forms = FormJudge()

    def judged(self, record: GenerationRecord, evidence: Evidence) -> GenerationRecord:
        """The record with what the evidence tells: the number of bad calls, or whether the form was broken."""
        if isinstance(evidence, ToolEvidence):
            return structs.replace(record, tool_calls_invalid=self._calls.count_invalid(evidence))
        return structs.replace(record, structured_invalid=self._forms.is_invalid(evidence))
