from endpoints import endpoint
from msgspec import structs

from trunkline.catalogue.catalogue import Catalogue
from trunkline.inference.spellings import Spellings
from trunkline.protocol.catalogue import Model


def model(id: str, name: str, created: int, **changes: object) -> Model:
    return structs.replace(Model(id=id, name=name, author=id.partition("/")[0], canonical_slug=id, created=created), **changes)


MODELS = (
    model("acme/echo-1.5", "Acme: Echo 1.5", 1, aliases=("acme/echo-old",)),
    model("acme/echo-2", "Acme: Echo 2", 2),
    model("acme/echo-3", "Acme: Echo 3", 3, retired=True),
    model("acme/echo-2:free", "Acme: Echo 2 (free)", 4),
    model("acme/lonely-1", "Acme: Lonely 1", 5),
    model("acme/o3", "o3", 5),
    model("acme/silent-1", "Silent 1", 6),
)
ENDPOINTS = [endpoint(one.id.partition("/")[2], model=one.id) for one in MODELS]
CATALOGUE = Catalogue(models=MODELS, endpoints=ENDPOINTS, providers={}, authors={}, missing={"silent-1": ("KEY",)})


def test_names_under_which_models_are_mentioned() -> None:
    spellings = Spellings().of(CATALOGUE)
    assert {name for name, id in spellings.items() if id == "acme/echo-1.5"} == {"acme/echo 1.5", "echo 1.5", "acme/echo old"}
    assert {name for name, id in spellings.items() if id == "acme/echo-2"} == {"acme/echo 2", "echo 2", "echo"}
    assert "lonely" not in spellings
    assert "o3" not in spellings
    assert not {"acme/silent-1", "acme/echo-3"} & set(spellings.values())


def test_they_are_made_once() -> None:
    spellings = Spellings()
    assert spellings.of(CATALOGUE) is spellings.of(CATALOGUE)
