from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from trunkline.catalogue.catalogue import Catalogue
from trunkline.protocol.catalogue import Endpoint, Model, Pricing, Provider


def model(id: str, *, canonical: str = "", aliases: tuple[str, ...] = ()) -> Model:
    return Model(id=id, name=id, author=id.partition("/")[0], canonical_slug=canonical or id, created=1, aliases=aliases)


def endpoint(model_id: str, provider: str, *, prompt: int = 0) -> Endpoint:
    return Endpoint(
        id=f"{model_id}@{provider}",
        model=model_id,
        provider=provider,
        provider_name=provider.title(),
        tag=provider,
        dialect="chat",
        base_url="http://127.0.0.1:1",
        upstream_model=model_id,
        pricing=Pricing(prompt=prompt),
    )


MODELS = (
    model("acme/echo", canonical="acme/echo-20260101", aliases=("acme/echo-0-9",)),
    model("acme/echo:free", canonical="acme/echo-20260101"),
    model("Other/Mixed-Case"),
)
ENDPOINTS = (
    endpoint("acme/echo", "one", prompt=30),
    endpoint("acme/echo", "two", prompt=20),
    endpoint("acme/echo", "three", prompt=10),
    endpoint("acme/echo:free", "one"),
    endpoint("Other/Mixed-Case", "offline"),
)


def made(missing: dict[str, tuple[str, ...]] | None = None, offline: Sequence[str] = (), models: Sequence[Model] = MODELS) -> Catalogue:
    return Catalogue(
        models=models,
        endpoints=ENDPOINTS,
        providers={"one": Provider(slug="one", name="One")},
        authors={"acme": "Acme"},
        missing=missing or {},
        offline=frozenset(offline),
    )


@pytest.mark.parametrize(
    ("slug", "id", "variants"),
    [
        ("acme/echo", "acme/echo", ()),
        ("acme/echo:free", "acme/echo:free", ()),
        ("acme/echo-20260101", "acme/echo", ()),
        ("acme/echo-20260101:free", "acme/echo:free", ()),
        ("acme/echo-0-9:free:nitro", "acme/echo:free", ("nitro",)),
        ("acme/echo-0-9", "acme/echo", ()),
        ("acme/echo-0-9:online", "acme/echo", ("online",)),
        ("acme/echo:nitro", "acme/echo", ("nitro",)),
        ("acme/echo:free:online", "acme/echo:free", ("online",)),
        ("acme/echo:online:free", "acme/echo:free", ("online",)),
        ("acme/echo:floor:exacto:floor", "acme/echo", ("floor", "exacto")),
        ("ACME/Echo:FREE:Nitro", "acme/echo:free", ("nitro",)),
        ("Other/Mixed-Case", "Other/Mixed-Case", ()),
        ("other/mixed-case", "Other/Mixed-Case", ()),
        ("other/mixed-case:free", None, ()),
        ("acme/echo:thinking", None, ()),
        ("acme/echo:", None, ()),
        ("acme", None, ()),
        ("", None, ()),
        (":", None, ()),
        ("acme/echo" + ":nitro" * 100, None, ()),
    ],
)
def test_resolve(slug: str, id: str | None, variants: tuple[str, ...]) -> None:
    resolved = made().resolve(slug)
    if id is None:
        assert resolved is None
        return
    assert resolved is not None
    assert (resolved.model.id, resolved.variants, resolved.requested) == (id, variants, slug)
    assert resolved.endpoints == made().endpoints_of(id)


def test_a_plain_id_costs_one_look_up() -> None:
    catalogue = made()
    assert catalogue.resolve("acme/echo") is catalogue.resolve("acme/echo")


@given(st.text(alphabet="acme/ho:free-nitro\0ß", max_size=40))
def test_any_slug_is_answered(slug: str) -> None:
    resolved = made().resolve(slug)
    assert resolved is None or resolved.requested == slug


def test_only_available_endpoints_are_resolved() -> None:
    catalogue = made({"acme/echo@one": ("ONE_KEY",)}, offline=["Other/Mixed-Case@offline"])
    resolved = catalogue.resolve("acme/echo")
    assert resolved is not None
    assert [found.provider for found in resolved.endpoints] == ["two", "three"]
    assert [found.provider for found in catalogue.endpoints_of("acme/echo")] == ["one", "two", "three"]
    assert catalogue.available("acme/echo")
    assert catalogue.missing_env("acme/echo") == ()


def test_what_is_missing() -> None:
    missing = {f"acme/echo@{name}": (f"{name.upper()}_KEY", "SHARED") for name in ("one", "two", "three")}
    catalogue = made(missing, offline=["Other/Mixed-Case@offline"])
    assert not catalogue.available("acme/echo")
    assert catalogue.missing_env("acme/echo") == ("ONE_KEY", "SHARED", "TWO_KEY", "THREE_KEY")
    assert catalogue.alternatives("acme/echo") == (("ONE_KEY", "SHARED"), ("TWO_KEY", "SHARED"), ("THREE_KEY", "SHARED"))
    assert not catalogue.available("Other/Mixed-Case")
    assert catalogue.missing_env("Other/Mixed-Case") == ()
    assert catalogue.missing_of(ENDPOINTS[1]) == ("TWO_KEY", "SHARED")
    assert catalogue.missing_of(ENDPOINTS[3]) == catalogue.missing_of(ENDPOINTS[4]) == ()
    assert not catalogue.available("no/such")
    assert catalogue.endpoints_of("no/such") == ()


def test_a_retired_model_cannot_be_called_whatever_is_set() -> None:
    models = [structs.replace(one, retired=True) for one in MODELS]
    for catalogue in (made(models=models), made({f"acme/echo@{name}": ("K",) for name in ("one", "two", "three")}, models=models)):
        assert not catalogue.available("acme/echo")
        assert catalogue.alternatives("acme/echo") == ()
        assert catalogue.endpoints_of("acme/echo")


def test_the_headline_is_the_cheapest_that_can_be_called() -> None:
    assert made().headline("acme/echo") is ENDPOINTS[2]
    assert made({"acme/echo@three": ("K",)}).headline("acme/echo") is ENDPOINTS[1]
    assert made({f"acme/echo@{name}": ("K",) for name in ("one", "two", "three")}).headline("acme/echo") is ENDPOINTS[2]
    assert made().headline("no/such") is None


def test_ids_win_over_aliases() -> None:
    catalogue = made(models=(*MODELS, model("acme/echo-20260101")))
    resolved = catalogue.resolve("acme/echo-20260101")
    assert resolved is not None
    assert resolved.model.id == "acme/echo-20260101"


def test_it_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        made().models["acme/new"] = MODELS[0]  # type: ignore[index]


def test_author_names() -> None:
    assert made().author_name("acme") == "Acme"
    assert made().author_name("nobody") == "nobody"


def aged(id: str, created: int, **changes: object) -> Model:
    return structs.replace(model(id), created=created, **changes)


FAMILY = (
    aged("acme/echo-1", 1),
    aged("acme/echo-2.5", 3),
    aged("acme/echo-2.5:free", 4),
    aged("acme/echo-3", 5, retired=True),
    aged("b/one-1", 1),
)


def family(offline: Sequence[str] = ()) -> Catalogue:
    endpoints = [endpoint(one.id, "one") for one in FAMILY]
    return Catalogue(models=FAMILY, endpoints=endpoints, providers={}, authors={}, missing={}, offline=frozenset(offline))


@pytest.mark.parametrize(
    ("slug", "id", "variants"),
    [
        ("~acme/echo-latest", "acme/echo-2.5", ()),
        ("~Acme/Echo-Latest:Nitro", "acme/echo-2.5", ("nitro",)),
        ("~acme/echo-latest:free:floor", "acme/echo-2.5:free", ("floor",)),
        ("acme/echo-2-5", "acme/echo-2.5", ()),
        ("~b/one-latest", "b/one-1", ()),
    ],
)
def test_the_latest_of_a_family(slug: str, id: str, variants: tuple[str, ...]) -> None:
    resolved = family().resolve(slug)
    assert resolved is not None
    assert (resolved.model.id, resolved.variants) == (id, variants)


def test_the_latest_is_one_that_can_be_called_where_any_can() -> None:
    for offline, id in ((["acme/echo-2.5@one"], "acme/echo-1"), (["acme/echo-2.5@one", "acme/echo-1@one"], "acme/echo-2.5")):
        resolved = family(offline).resolve("~acme/echo-latest")
        assert resolved is not None
        assert resolved.model.id == id
    assert family().resolve("~acme/other-latest") is None


def test_rows_mirror_the_latest_of_families_with_several_models() -> None:
    catalogue = family()
    assert set(catalogue.mirrors) == {"~acme/echo-latest"}
    target = catalogue.alias_target("~acme/echo-latest")
    assert target is not None
    assert target.id == "acme/echo-2.5"
    assert catalogue.endpoints_of("~acme/echo-latest") == catalogue.endpoints_of("acme/echo-2.5")
    assert catalogue.alias_target("acme/echo-2.5") is None


def test_a_router_can_be_called_when_any_model_can() -> None:
    assert family().available("openrouter/auto")
    assert not family([f"{one.id}@one" for one in FAMILY]).available("openrouter/auto")
    own = Catalogue(models=[model("openrouter/auto")], endpoints=[], providers={}, authors={}, missing={})
    assert "openrouter/auto" not in own.routers
