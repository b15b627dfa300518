"""Which rule of a script a call falls under."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from trunkline.mock.script import Match, Rule


class Facts(Struct, frozen=True, kw_only=True):
    """What a rule may look at: header names in lower case, `text` = the last message, `results` = it holds results of tools."""

    model: str
    headers: Mapping[str, str]
    stream: bool
    text: str
    dialect: str = "chat"
    results: bool = False


class Rules:
    """The rules of a script with the number of calls each has matched."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._matched = [0] * len(self._rules)

    def choose(self, facts: Facts) -> Rule | None:
        """The rule for this call, which is counted at every rule it matched on the way. None = no rule."""
        for index, rule in enumerate(self._rules):
            if matches(rule.match, facts):
                number = self._matched[index] - rule.skip
                self._matched[index] += 1
                if number >= 0 and number % rule.every == 0 and (not rule.first or number // rule.every < rule.first):
                    return rule
        return None


def matches(match: Match, facts: Facts) -> bool:
    """Whether the request is one the rule is about."""
    return (
        fnmatchcase(facts.model, match.model)
        and fnmatchcase(facts.dialect, match.dialect)
        and (match.stream is None or match.stream == facts.stream)
        and (match.results is None or match.results == facts.results)
        and match.contains in facts.text
        and all(fnmatchcase(facts.headers.get(name, ""), pattern) for name, pattern in match.headers.items())
    )
