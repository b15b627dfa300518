"""The names under which people mention models: `anthropic/claude-sonnet-4.5`, "Claude Sonnet 4.5", "Claude Sonnet"."""

from collections.abc import Iterator, Mapping
from typing import Final

from trunkline.catalogue import slugs
from trunkline.catalogue.catalogue import Catalogue
from trunkline.protocol.catalogue import Model
from trunkline.routing.routers.bodybuilder import normal

_SHORTEST: Final = 3
"""Characters of a name that is looked for: `o3` is more often something else."""


class Spellings:
    """The spellings of a catalogue, made once for each."""

    def __init__(self) -> None:
        self._made: tuple[Catalogue | None, Mapping[str, str]] = (None, {})

    def of(self, catalogue: Catalogue) -> Mapping[str, str]:
        """Ids by the names that stand for them; where several models have a name, the newest. Models that cannot be called have none."""
        made, found = self._made
        if made is not catalogue:
            found = {}
            for model in sorted(catalogue.models.values(), key=lambda one: (":" not in one.id, one.created)):
                if not model.retired and catalogue.available(model.id):
                    found |= {normal(name): model.id for name in _names(model) if len(name) >= _SHORTEST}
            found = {**dict(_families(catalogue)), **found}
            self._made = (catalogue, found)
        return found


def _names(model: Model) -> Iterator[str]:
    yield model.id
    yield model.id.partition("/")[2]
    yield model.name.rpartition(": ")[2]
    yield from model.aliases


def _families(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Families stand for their newest model. One of a single word and a single model does not: its name may be any word."""
    for family, models in slugs.families(catalogue.models.values()).items():
        resolved = catalogue.resolve(slugs.latest_slug(family))
        name = family.partition("/")[2]
        if resolved is not None and resolved.endpoints and len(name) >= _SHORTEST and (len(models) > 1 or "-" in name):
            yield normal(name), resolved.model.id
