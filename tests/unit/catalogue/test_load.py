import time
from pathlib import Path

import pytest

from trunkline.catalogue.load import load
from trunkline.errors import ConfigError

ACME = """
[[providers]]
slug = "acme"
name = "Acme"
base_url = "http://127.0.0.1:9001/v1"
api_key = "env:ACME_API_KEY"

[[models]]
id = "acme/echo-1"
name = "Acme: Echo 1"

[[endpoints]]
model = "acme/echo-1"
provider = "acme"
upstream_model = "echo-1"
pricing = { prompt = "0.000001", completion = "0.000002" }
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "trunkline.toml"


def test_the_built_in_catalogue() -> None:
    catalogue = load(None, {})
    assert len(catalogue.models) >= 200
    assert len({model.author for model in catalogue.models.values()}) >= 40
    for model in catalogue.models.values():
        assert model.sources, f"{model.id} names no source"
        assert model.description, f"{model.id} has no description"
        assert catalogue.endpoints_of(model.id), f"{model.id} has no endpoint"
        assert catalogue.author_name(model.author) != model.author
        assert not catalogue.available(model.id)


def test_every_model_of_openrouters_list_can_be_had_there_and_our_own_here() -> None:
    catalogue = load(None, {"OPENROUTER_API_KEY": "k"}, local="", embedder="")
    own = {endpoint.model for endpoint in catalogue.endpoints.values() if endpoint.launch}
    models = [one for one in catalogue.models.values() if one.id in own or "OpenRouter model list, 2026-05" in one.sources]
    assert len(models) >= 200
    for model in models:
        (endpoint,) = catalogue.available_endpoints(model.id)
        assert endpoint.launch or endpoint.upstream_model == model.id


def test_the_seed_model() -> None:
    catalogue = load(None, {"OPENAI_API_KEY": "k"})
    resolved = catalogue.resolve("openai/gpt-5.2-chat")
    assert resolved is not None
    model, (endpoint,) = resolved.model, resolved.endpoints
    assert (endpoint.pricing.prompt * 10**6, endpoint.pricing.completion * 10**6) == (1_750_000_000_000, 14_000_000_000_000)
    assert model.context_length == 128_000
    assert time.strftime("%Y-%m-%d", time.gmtime(model.created)) == "2025-12-10"
    assert model.expiration_date == "2026-08-10"
    assert not model.retired
    assert (endpoint.upstream_model, endpoint.dialect, endpoint.quirks.system_role) == ("gpt-5.2-chat-latest", "responses", "developer")
    assert endpoint.supported_parameters is not None
    assert "temperature" not in endpoint.supported_parameters


def test_built_in_variants_and_long_contexts() -> None:
    catalogue = load(None, {})
    assert catalogue.resolve("openai/gpt-oss-20b:free:online") is not None
    assert catalogue.resolve("openai/gpt-5.2-chat:free") is None
    assert catalogue.resolve("meta-llama/llama-3-3-70b-instruct") is not None
    assert any(endpoint.pricing.overrides for endpoint in catalogue.endpoints.values())
    assert any(model.reasoning for model in catalogue.models.values())


def test_static_variants_and_modalities_of_the_built_in_models() -> None:
    models = load(None, {}).models
    assert {"free", "thinking"} <= {id.partition(":")[2] for id in models}
    assert {"text", "image", "audio"} <= {name for model in models.values() for name in model.output_modalities}
    assert {"text", "image", "file", "audio", "video"} <= {name for model in models.values() for name in model.input_modalities}


def test_every_author_has_one_file() -> None:
    files = {file.stem for file in (Path(load.__code__.co_filename).parent / "data").glob("*.toml")}
    assert files == {model.author for model in load(None, {}).models.values()}


def test_the_local_model() -> None:
    id = "huggingfacetb/smollm2-135m-instruct"
    off, waiting, on = load(None, {}), load(None, {}, local=""), load(None, {}, local="http://127.0.0.1:4000/v1")
    assert not off.available(id)
    assert off.missing_env(id) == ()
    assert waiting.endpoints_of(id)[0].base_url == ""
    assert waiting.available(id)
    (endpoint,) = on.available_endpoints(id)
    assert (endpoint.base_url, endpoint.operator_url, endpoint.launch) == ("http://127.0.0.1:4000/v1", True, "local")
    assert (endpoint.pricing.prompt, endpoint.pricing.completion) == (0, 0)
    assert time.strftime("%Y-%m-%d", time.gmtime(on.models[id].created)) == "2024-11-01"


def test_the_operators_file_comes_on_top(config: Path) -> None:
    config.write_text(ACME)
    catalogue = load(config, {"ACME_API_KEY": "k"}, first_seen=lambda id: len(id))
    assert catalogue.available("acme/echo-1")
    assert catalogue.models["acme/echo-1"].created == len("acme/echo-1")
    assert catalogue.missing_env("openai/gpt-5.2-chat") == ("OPENAI_API_KEY", "OPENROUTER_API_KEY")
    assert load(config, {}).missing_env("acme/echo-1") == ("ACME_API_KEY",)


def test_what_the_file_says_of_a_built_in_provider_holds_for_its_endpoints(config: Path) -> None:
    config.write_text('[[providers]]\nslug = "openai"\nbase_url = "http://127.0.0.1:9/v1"\napi_key = "literal"\n')
    catalogue = load(config, {})
    (endpoint,) = catalogue.available_endpoints("openai/gpt-5.2-chat")
    assert (endpoint.base_url, endpoint.operator_url, endpoint.auth.source) == ("http://127.0.0.1:9/v1", True, "literal")
    assert endpoint.quirks.max_tokens_key == "max_completion_tokens"


def test_what_the_file_says_of_built_in_models_and_endpoints_wins(config: Path) -> None:
    config.write_text(
        '[[models]]\nid = "openai/gpt-5.2-chat"\nretired = true\n'
        '[[endpoints]]\nmodel = "openai/gpt-5.2-chat"\nprovider = "openai"\npricing = { prompt = "0", completion = "0" }\n'
    )
    catalogue = load(config, {})
    assert catalogue.models["openai/gpt-5.2-chat"].retired
    assert catalogue.models["openai/gpt-5.2-chat"].context_length == 128_000
    assert [endpoint.pricing.prompt for endpoint in catalogue.endpoints_of("openai/gpt-5.2-chat")] == [0, 1_750_000]


def test_own_servers_by_variable(config: Path) -> None:
    config.write_text(ACME.replace('"acme"\nname', '"acme"\nlaunch = "local"\nname').replace('provider = "acme"', 'provider = "ollama"'))
    assert load(config, {}).missing_env("acme/echo-1") == ("OLLAMA_BASE_URL",)
    (endpoint,) = load(config, {"OLLAMA_BASE_URL": "http://127.0.0.1:11434/v1"}).available_endpoints("acme/echo-1")
    assert (endpoint.base_url, endpoint.operator_url) == ("http://127.0.0.1:11434/v1", True)


@pytest.mark.parametrize(
    ("addition", "expected"),
    [
        ('[[models]]\nid = "acme/echo-1"\n', "models[1]: the same id as"),
        ('[[providers]]\nslug = "acme"\n', "providers[1]: the same slug as"),
        ('[[endpoints]]\nmodel = "acme/echo-1"\nprovider = "acme"\n', "endpoints[1]: the same model, provider, tag as"),
        ('[[models]]\nid = "ACME/Echo-1"\n', "'ACME/Echo-1' already names the model acme/echo-1"),
        ('[[models]]\nid = "acme/other"\naliases = ["openai/gpt-5.2"]\n', "'openai/gpt-5.2' already names the model openai/gpt-5.2"),
        ('[[models]]\nid = "acme/x"\nnaem = "X"\n', "models[1].naem: there is no such key. Write instead: name"),
        ('[[endpoints]]\nmodel = "acme/nope"\nprovider = "acme"\n', "endpoints[1].model: 'acme/nope' is not known"),
    ],
)
def test_mistakes_name_file_and_key(config: Path, addition: str, expected: str) -> None:
    config.write_text(ACME + addition)
    with pytest.raises(ConfigError) as caught:
        load(config, {})
    assert expected in str(caught.value)


def test_the_file_is_named(config: Path) -> None:
    config.write_text('[[models]]\nid = "x"\n')
    with pytest.raises(ConfigError) as caught:
        load(config, {})
    assert str(caught.value).startswith(f"{config}: models[0].id: ")


def test_a_credential_that_no_header_can_carry_stops_the_load(config: Path) -> None:
    config.write_text(ACME)
    with pytest.raises(ConfigError, match="ACME_API_KEY") as caught:
        load(config, {"ACME_API_KEY": "s3c\nret"})
    assert "s3c" not in str(caught.value)


def test_a_model_without_a_date_is_new_today(config: Path) -> None:
    config.write_text(ACME)
    assert abs(load(config, {}).models["acme/echo-1"].created - time.time()) < 60


def test_a_reasoning_model_has_longer_to_its_first_content() -> None:
    catalogue = load(None, {})
    thinking = [one for model in catalogue.models.values() if model.reasoning is not None for one in catalogue.endpoints_of(model.id)]
    plain = catalogue.endpoints_of("openai/gpt-4.1")
    assert thinking
    assert {one.timeouts.first_content for one in thinking} == {180.0}
    assert {one.timeouts.first_content for one in plain} == {30.0}


def test_the_embedding_model_is_callable_while_its_child_has_an_address() -> None:
    slug = "sentence-transformers/all-minilm-l6-v2"
    off, on = load(None, {}, local="http://127.0.0.1:1/v1"), load(None, {}, embedder="http://127.0.0.1:2/v1")
    assert not off.available(slug) and on.available(slug)
    [endpoint] = on.endpoints_of(slug)
    assert (endpoint.base_url, endpoint.launch, endpoint.operator_url) == ("http://127.0.0.1:2/v1", "embedder", True)
    assert on.models[slug].output_modalities == ("embeddings", "rerank")


def region_in(config: Path, text: str, environ: dict[str, str] | None = None, model: str = "acme/echo-1") -> str:
    config.write_text(text)
    return load(config, environ or {}).endpoints_of(model)[0].region


def test_a_region_is_what_the_operator_says_of_an_endpoint_or_a_provider(config: Path) -> None:
    european = ACME.replace('slug = "acme"', 'slug = "acme"\nregion = "eu"')
    assert region_in(config, ACME) == ""
    assert region_in(config, ACME + 'region = "us"\n') == "us"
    assert region_in(config, european) == "europe"
    assert region_in(config, european + 'region = "us"\n') == "us"
    assert region_in(config, european + 'region = "global"\n') == ""


def test_a_region_is_also_what_address_or_data_centres_promise(config: Path) -> None:
    nova, bedrock = "amazon/nova-2-lite-v1", "amazon-bedrock"
    table = f'''
[[endpoints]]
model = "{nova}"
provider = "{bedrock}"
tag = "{bedrock}/own"
upstream_model = "amazon.nova-2-lite-v1:0"
pricing = {{ prompt = "0", completion = "0" }}
'''
    config.write_text(table)
    by_place = {
        place: load(config, {"AWS_REGION": place}).endpoints[f"{nova}@{bedrock}/own"].region
        for place in ("eu-central-1", "us-east-1", "eu-west-2")
    }
    assert by_place == {"eu-central-1": "europe", "us-east-1": "us", "eu-west-2": ""}
    assert region_in(config, ACME.replace('slug = "acme"', 'slug = "acme"\ndatacenters = ["DE", "FR"]')) == "europe"
    assert region_in(config, ACME.replace('slug = "acme"', 'slug = "acme"\ndatacenters = ["DE", "US"]')) == ""


@pytest.mark.parametrize(
    ("where", "text"), [("endpoints", ACME + 'region = "de"'), ("providers", ACME.replace("[[models]]", 'region = "de"\n[[models]]'))]
)
def test_a_region_that_nobody_knows_is_an_error_that_names_it(config: Path, where: str, text: str) -> None:
    config.write_text(text)
    with pytest.raises(ConfigError, match=rf"{where}\[0\]\.region: 'de' is no region"):
        load(config, {})


def test_a_successor_is_a_model_of_the_catalogue() -> None:
    catalogue = load(None, {})
    followed = [one for one in catalogue.models.values() if one.successor is not None]
    assert len(followed) >= 8
    for model in followed:
        assert model.expiration_date is not None or model.retired, model.id
        successor = catalogue.models[model.successor or ""]
        assert set(successor.output_modalities) >= set(model.output_modalities), model.id
