"""The grammar of model slugs: `author/slug` with stacked variants, and `~author/family-latest` (contract 3.6 and 3.7).

Case does not matter. Static variants (`:free`, `:extended`, `:thinking`) are part of a listed model's id; dynamic ones (`:nitro`, `:floor`,
`:exacto`, `:online`) work on any model. They may be stacked in any order.
"""

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from trunkline.catalogue.vocabulary import DYNAMIC_VARIANTS
from trunkline.protocol.catalogue import Model

LONGEST: Final = 256
"""Characters of the longest slug that is looked at."""
LATEST: Final = "-latest"
ROUTERS: Final = "openrouter/"
"""The author of the routers."""

_VERSION: Final = re.compile(r"[a-z]?\d[\w.]*")
"""A part that tells one release or size of a family from another: `4.5`, `k2`, `v3.1`, `120b`, `2512`."""
_VERSIONED_NAME: Final = re.compile(r"([a-z]+)\d[\d.]*[a-z]?")
"""A name with its version at the end: `qwen3.6`, `o3`."""
_DOT: Final = re.compile(r"(?<=\d)\.(?=\d)")
_RELEASES: Final = frozenset(("preview", "beta", "exp", "latest"))


class Slug(Struct, frozen=True):
    """A slug taken apart, in lower case: `base` is `author/slug`; `static` the suffixes that are part of an id, `dynamic` the others, each
    once and in the caller's order."""

    base: str
    static: tuple[str, ...]
    dynamic: tuple[str, ...]

    @property
    def listed(self) -> str:
        """The slug without its dynamic variants."""
        return ":".join((self.base, *self.static))


def take_apart(slug: str) -> Slug | None:
    """The parts of a slug; None for one that is too long to be one."""
    if len(slug) > LONGEST:
        return None
    base, *suffixes = slug.lower().split(":")
    once = dict.fromkeys(suffixes)
    return Slug(
        base,
        tuple([suffix for suffix in once if suffix not in DYNAMIC_VARIANTS]),
        tuple([suffix for suffix in once if suffix in DYNAMIC_VARIANTS]),
    )


def family_of(model_id: str) -> str:
    """The family of a model as `author/family`: its id without versions, sizes and words for previews.

    `anthropic/claude-sonnet-4.5` and `anthropic/claude-3.5-sonnet` are of `anthropic/claude-sonnet`; `openai/gpt-5.2` of `openai/gpt`.
    """
    author, _, name = model_id.lower().partition(":")[0].partition("/")
    first, *rest = name.split("-")
    versioned = _VERSIONED_NAME.fullmatch(first)
    words = [versioned[1] if versioned else first]
    words += [word for word in rest if word not in _RELEASES and not _VERSION.fullmatch(word)]
    return f"{author}/{'-'.join(words)}"


def families(models: Iterable[Model]) -> dict[str, list[Model]]:
    """The concrete models of each family that are in service: listings with a variant, aliases and retired models are of none.

    Where names alone would put models together that make different things, as `gpt-image-2` and `gpt-5.4-image-2`, which converses, the
    family is that of the newest: its `-latest` must not stand for something else where other credentials are set.
    """
    found: dict[str, list[Model]] = {}
    for model in models:
        concrete = ":" not in model.id and not model.id.startswith("~") and not model.id.endswith(LATEST)
        if concrete and not model.retired:
            found.setdefault(family_of(model.id), []).append(model)
    return {family: _alike(models) for family, models in found.items()}


def _alike(models: list[Model]) -> list[Model]:
    outputs = set(max(models, key=lambda model: (model.created, model.id)).output_modalities)
    return [model for model in models if set(model.output_modalities) == outputs]


def latest_slug(family: str) -> str:
    """The slug that stands for the newest model of a family."""
    return f"~{family}{LATEST}"


def dashed(model_id: str) -> str | None:
    """The older spelling of a versioned id, with dashes for dots (`anthropic/claude-3-5-sonnet`); None where there is none."""
    spelling = _DOT.sub("-", model_id)
    return None if spelling == model_id else spelling
