import pytest

from trunkline.catalogue.slugs import Slug, dashed, families, family_of, latest_slug, take_apart
from trunkline.protocol.catalogue import Model


def model(id: str, *, retired: bool = False, created: int = 1, outputs: tuple[str, ...] = ("text",)) -> Model:
    author = id.partition("/")[0]
    return Model(id=id, name=id, author=author, canonical_slug=id, created=created, retired=retired, output_modalities=outputs)


@pytest.mark.parametrize(
    ("slug", "parts"),
    [
        ("acme/echo", Slug("acme/echo", (), ())),
        ("openai/gpt-oss-20b:free:online", Slug("openai/gpt-oss-20b", ("free",), ("online",))),
        ("Acme/Echo:NITRO:Free:nitro", Slug("acme/echo", ("free",), ("nitro",))),
        ("acme/echo:thinking:extended", Slug("acme/echo", ("thinking", "extended"), ())),
        ("~acme/echo-latest:floor", Slug("~acme/echo-latest", (), ("floor",))),
        ("", Slug("", (), ())),
        ("x" * 257, None),
    ],
)
def test_a_slug_is_taken_apart(slug: str, parts: Slug | None) -> None:
    assert take_apart(slug) == parts


def test_what_is_listed_has_no_dynamic_variant() -> None:
    parts = take_apart("acme/echo:online:free")
    assert parts is not None
    assert parts.listed == "acme/echo:free"


@pytest.mark.parametrize(
    ("id", "family"),
    [
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet"),
        ("anthropic/claude-3.5-sonnet", "anthropic/claude-sonnet"),
        ("openai/gpt-5.2", "openai/gpt"),
        ("openai/gpt-4o-mini", "openai/gpt-mini"),
        ("openai/o3", "openai/o"),
        ("google/gemini-3.1-pro-preview", "google/gemini-pro"),
        ("qwen/qwen3.6-plus", "qwen/qwen-plus"),
        ("qwen/qwen3-235b-a22b-2507", "qwen/qwen"),
        ("moonshotai/kimi-k2.6", "moonshotai/kimi"),
        ("openai/gpt-oss-20b:free", "openai/gpt-oss"),
        ("sentence-transformers/all-minilm-l6-v2", "sentence-transformers/all-minilm"),
    ],
)
def test_the_family_of_a_model(id: str, family: str) -> None:
    assert family_of(id) == family


def test_families_have_concrete_models_that_are_in_service() -> None:
    models = [model(id) for id in ("a/m-1", "a/m-2", "a/m-2:free", "~a/m-latest", "a/m-latest")]
    found = families([*models, model("a/m-3", retired=True)])
    assert {family: [one.id for one in ones] for family, ones in found.items()} == {"a/m": ["a/m-1", "a/m-2"]}


def test_a_family_makes_one_kind_of_thing() -> None:
    painters = [model("a/gpt-image-1", created=1, outputs=("image",)), model("a/gpt-image-2", created=3, outputs=("image",))]
    artists = [model("a/gpt-5-image", created=2, outputs=("image", "text")), model("a/gpt-6-image", created=4, outputs=("text", "image"))]
    assert families([*painters, *artists]) == {"a/gpt-image": artists}
    assert families([*painters, artists[0]]) == {"a/gpt-image": painters}


def test_the_latest_of_a_family_and_older_spellings() -> None:
    assert latest_slug("anthropic/claude-sonnet") == "~anthropic/claude-sonnet-latest"
    assert dashed("anthropic/claude-3.5-sonnet") == "anthropic/claude-3-5-sonnet"
    assert dashed("acme/echo") is None
