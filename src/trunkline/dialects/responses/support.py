"""What an endpoint of this dialect takes, from its `supported_parameters` (contract 5.13)."""

from trunkline.dialects.parameters import ALIASES, ONLY_LISTED
from trunkline.protocol.catalogue import Endpoint

REASONING = frozenset(("reasoning", "reasoning_effort", "include_reasoning"))
FORMATS = ("openai-responses-v1",)
"""Whose reasoning an endpoint of this dialect takes when its quirks name none."""


class Support:
    """Answers what one endpoint takes; it is made once for each."""

    def __init__(self, endpoint: Endpoint) -> None:
        listed = endpoint.supported_parameters
        self._names = None if listed is None else {ALIASES.get(name, name) for name in listed}
        self.formats = endpoint.quirks.reasoning_formats or FORMATS
        self.knows_reasoning = self._names is not None and not self._names.isdisjoint(REASONING)

    def takes(self, name: str) -> bool:
        """Whether a parameter, in the chat dialect's words, may be sent."""
        if self._names is None:
            return name not in ONLY_LISTED["responses"]
        if name in REASONING:
            return self.knows_reasoning
        if name == "response_format" and "structured_outputs" in self._names:
            return True
        return name in self._names
