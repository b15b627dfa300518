"""From names to endpoints."""

import msgspec
import pytest
from pipelines import served

from trunkline.catalogue.catalogue import Catalogue
from trunkline.dialects.chat.request import ChatRequest, parse
from trunkline.errors import ApiError
from trunkline.inference.candidates import must_reason, plan_facts, resolve
from trunkline.protocol.catalogue import Model, Reasoning


def model(name: str, **changes: object) -> Model:
    return msgspec.structs.replace(Model(id=name, name=name, author="a", canonical_slug=name, created=1), **changes)


def request(*models: str, image: bool = False, **fields: object) -> ChatRequest:
    parts: list[dict[str, object]] = [{"type": "text", "text": "hi"}]
    if image:
        parts.append({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}})
    body = {"models": list(models), "messages": [{"role": "user", "content": parts}], **fields}
    return parse(msgspec.json.encode(body))


ALWAYS = Reasoning(mandatory=True, supported_efforts=("high", "low"))
CATALOGUE = Catalogue(
    models=[
        model("a/m"),
        model("a/off"),
        model("a/thinker-1", reasoning=ALWAYS),
        model("a/muser", reasoning=Reasoning(supported_efforts=("high", "none"))),
        model("a/gone", retired=True, successor="a/m"),
        model("a/vectors", output_modalities=("embeddings",)),
        model("a/eyes", input_modalities=("text", "image")),
        model("a/painter", output_modalities=("image",)),
        model("a/artist", output_modalities=("image", "text")),
    ],
    endpoints=[
        served("one"),
        served("off", model="a/off", id="off"),
        served("gone", model="a/gone", id="gone"),
        served("thinker", model="a/thinker-1", id="thinker"),
        served("muser", model="a/muser", id="muser"),
        served("eyes", model="a/eyes", id="eyes"),
        served("painter", model="a/painter", id="painter"),
        served("artist", model="a/artist", id="artist"),
    ],
    providers={},
    authors={},
    missing={"off": ("OFF_API_KEY",)},
)


def test_endpoints_of_each_model_in_the_callers_order() -> None:
    assert [found[0].model for found in resolve(CATALOGUE, request("a/eyes", "a/m"))] == ["a/eyes", "a/m"]


@pytest.mark.parametrize(
    ("names", "status", "words"),
    [
        (["a/typo"], 400, "a/typo is not a valid model ID"),
        (["a/m", "a/typo"], 400, "a/typo is not a valid model ID"),
        (["a/off"], 404, "Set OFF_API_KEY"),
        (["a/gone"], 404, "a/gone has been retired. Use a/m instead"),
        (["a/m:free"], 404, "a/m:free is not offered here. The paid model is a/m"),
        (["a/typo:free"], 400, "a/typo:free is not a valid model ID"),
        (["a/vectors"], 400, "Use POST /api/v1/embeddings"),
        (["a/painter"], 400, "Use POST /api/v1/images"),
        ([], 400, "model: required"),
    ],
)
def test_refusals(names: list[str], status: int, words: str) -> None:
    with pytest.raises(ApiError, match=words) as caught:
        resolve(CATALOGUE, request(*names))
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("name", "status", "code", "words"),
    [
        ("openrouter/auto", 400, "wrong_endpoint", "openrouter/auto needs messages. Use POST /api/v1/chat/completions"),
        ("OpenRouter/Free:nitro", 400, "wrong_endpoint", "openrouter/free needs messages"),
        ("openrouter/fusion", 404, "no_endpoints", "No endpoints found for openrouter/fusion: it asks several models by server tools"),
        ("OpenRouter/Fusion-Flash:floor", 404, "no_endpoints", "No endpoints found for openrouter/fusion-flash: it asks"),
        ("openrouter/fusions", 400, "model_not_found", "openrouter/fusions is not a valid model ID"),
    ],
)
def test_routers_that_are_not_here_or_not_for_this(name: str, status: int, code: str, words: str) -> None:
    with pytest.raises(ApiError, match=words) as caught:
        resolve(CATALOGUE, request(name))
    assert caught.value.status == status
    told = caught.value.availability
    assert told is not None
    assert (told["code"], told["requested_models"], told["docs_url"]) == (code, [name], f"/docs/errors#{code}")


@pytest.mark.parametrize("wish", [{"effort": "none"}, {"enabled": False}, {"max_tokens": 0}])
def test_reasoning_that_cannot_be_switched_off(wish: dict[str, object]) -> None:
    """Contract 2.7: 400 on concrete slugs, another effort on `~author/family-latest`."""
    with pytest.raises(ApiError, match="a/thinker-1: Reasoning is mandatory") as caught:
        resolve(CATALOGUE, request("a/thinker-1", reasoning=wish))
    assert (caught.value.status, caught.value.error_type) == (400, "invalid_request")
    assert [found[0].model for found in resolve(CATALOGUE, request("a/thinker-1", "a/m", reasoning=wish))] == ["a/m"]
    assert [found[0].model for found in resolve(CATALOGUE, request("~a/thinker-latest", reasoning=wish))] == ["a/thinker-1"]
    assert resolve(CATALOGUE, request("a/thinker-1", reasoning={"effort": "low"}))
    assert resolve(CATALOGUE, request("a/muser", reasoning=wish))


def test_who_must_reason() -> None:
    assert must_reason(model("a/x", reasoning=ALWAYS))
    for reasoning in (None, Reasoning(), Reasoning(mandatory=True, supported_efforts=("high", "none"))):
        assert not must_reason(model("a/x", reasoning=reasoning))


def test_a_model_that_paints_and_writes_converses() -> None:
    """Contract 2.11."""
    for modalities in (None, ["text", "image"], ["image"]):
        fields = {} if modalities is None else {"modalities": modalities}
        assert [found[0].model for found in resolve(CATALOGUE, request("a/artist", **fields))] == ["a/artist"]
    with pytest.raises(ApiError) as caught:
        resolve(CATALOGUE, request("a/painter", modalities=["image"]))
    assert caught.value.availability["code"] == "wrong_endpoint"
    assert caught.value.availability["constraint"] == {"field": "endpoint", "detail": "/api/v1/images"}


def test_a_model_that_cannot_serve_is_passed_over() -> None:
    assert [found[0].model for found in resolve(CATALOGUE, request("a/off", "a/m"))] == ["a/m"]


def test_input_that_a_model_cannot_take() -> None:
    assert resolve(CATALOGUE, request("a/eyes", image=True))
    with pytest.raises(ApiError, match="image input"):
        resolve(CATALOGUE, request("a/m", image=True))


def test_facts_are_those_of_the_request() -> None:
    facts = plan_facts(CATALOGUE, request("a/eyes", image=True, max_tokens=9, seed=1), 42)
    assert (facts.models, facts.prompt_tokens, facts.max_tokens, facts.modalities) == (("a/eyes",), 42, 9, frozenset({"image"}))
    assert "seed" in facts.parameters
    assert (facts.service_tier, facts.variants, facts.distillable) == (None, {}, frozenset())


def test_the_variants_of_a_model_are_those_it_was_named_with_first() -> None:
    facts = plan_facts(CATALOGUE, request("a/m:nitro", "a/eyes", "a/m:floor"), 0)
    assert facts.variants == {"a/m": ("nitro",), "a/eyes": ()}


@pytest.mark.parametrize(("sent", "tier"), [("flex", "flex"), (None, None), ("auto", "auto")])
def test_the_service_tier_is_passed_on(sent: str | None, tier: str | None) -> None:
    assert plan_facts(CATALOGUE, request("a/m", service_tier=sent), 0).service_tier == tier


def test_models_count_as_distillable_only_where_the_author_says_so() -> None:
    open_minded = Catalogue(
        models=[model("a/yes", distillable=True), model("a/no", distillable=False), model("a/silent")],
        endpoints=[],
        providers={},
        authors={},
        missing={},
    )
    asked = request("a/yes", "a/no", "a/silent", provider={"enforce_distillable_text": True})
    assert plan_facts(open_minded, asked, 0).distillable == {"a/yes"}


def test_what_cannot_serve_names_all_that_was_asked_for() -> None:
    with pytest.raises(ApiError) as caught:
        resolve(CATALOGUE, request("a/gone", "a/m:free"))
    assert caught.value.availability is not None
    assert (caught.value.availability["code"], caught.value.availability["requested_models"]) == (
        "model_deprecated",
        ["a/gone", "a/m:free"],
    )


def test_a_free_variant_that_ended_is_passed_over() -> None:
    assert [found[0].model for found in resolve(CATALOGUE, request("a/m:free", "a/m"))] == ["a/m"]


def test_a_conversational_model_is_not_asked_for_vectors() -> None:
    with pytest.raises(ApiError) as caught:
        resolve(CATALOGUE, msgspec.structs.replace(request("a/m"), outputs=frozenset(("embeddings",))))
    assert (caught.value.status, caught.value.availability and caught.value.availability["constraint"]) == (
        400,
        {"field": "endpoint", "detail": "/api/v1/chat/completions"},
    )
