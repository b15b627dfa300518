import pytest
from msgspec import structs

from trunkline.errors import ConfigError
from trunkline.protocol.catalogue import Auth, DataPolicy, Provider
from trunkline.protocol.quirks import OperationQuirks, Quirks
from trunkline.providers.records import built_in, dialect_named, overlay, provider_of, variables_of

ACME = {"slug": "acme", "name": "Acme", "base_url": "http://127.0.0.1:9001/v1", "api_key": "env:ACME_API_KEY"}


def made(table: object, known: dict[str, Provider] | None = None, *, operator: bool = True) -> Provider:
    return provider_of(table, "t.toml: providers[0]", known or {}, {}, operator=operator)


def test_the_built_in_providers() -> None:
    providers = built_in({})
    assert len(providers) >= 60
    for slug, provider in providers.items():
        assert provider.slug == slug
        assert provider.sources, f"{slug} names no source"
        assert provider.base_url.startswith(("https://", "env:", "vertex:")) or provider.launch == "local"


def test_providers_with_a_dialect_of_their_own() -> None:
    assert {slug: provider.dialect for slug, provider in built_in({}).items() if provider.dialect != "chat"} == {
        "anthropic": "messages",
        "google-ai-studio": "gemini",
        "google-vertex": "gemini",
        "amazon-bedrock": "converse",
        "cohere": "cohere",
        "azure": "responses",
    }


@pytest.mark.parametrize("slug", ["openai", "groq", "together", "deepseek", "mistral", "xai", "fireworks", "openrouter", "cohere"])
def test_hosted_providers_take_their_key_from_the_usual_variable(slug: str) -> None:
    assert built_in({})[slug].auth == Auth(source=f"env:{slug.upper()}_API_KEY")
    assert not built_in({})[slug].operator_url


def test_every_provider_needs_a_key_or_an_address_of_the_operators() -> None:
    for slug, provider in built_in({}).items():
        assert provider.auth.source.startswith("env:") or provider.base_url.startswith("env:"), slug


def test_the_variables_of_a_provider() -> None:
    providers = built_in({})
    assert variables_of(providers["openai"]) == ("OPENAI_API_KEY",)
    assert variables_of(providers["amazon-bedrock"]) == ("AWS_BEARER_TOKEN_BEDROCK", "AWS_REGION")
    assert variables_of(providers["vllm"]) == ("VLLM_BASE_URL",)
    assert variables_of(made({**ACME, "api_key": "literal"})) == ()


def test_no_two_providers_are_the_same_place() -> None:
    places = [provider.base_url for provider in built_in({}).values() if provider.base_url]
    assert len(places) == len(set(places))


def test_a_policy_is_claimed_only_where_a_source_says_it() -> None:
    """Every other provider counts as one that retains and trains."""
    claimed = {slug for slug, provider in built_in({}).items() if provider.data_policy != DataPolicy()}
    assert claimed == {"openai", "local", "ollama", "vllm", "lmstudio", "llamacpp", "sglang"}


@pytest.mark.parametrize(
    ("slug", "header", "name"),
    [
        ("azure", "api-key", "AZURE_OPENAI_API_KEY"),
        ("anthropic", "x-api-key", "ANTHROPIC_API_KEY"),
        ("google-ai-studio", "x-goog-api-key", "GEMINI_API_KEY"),
    ],
)
def test_a_key_that_goes_into_a_header_of_its_own(slug: str, header: str, name: str) -> None:
    assert built_in({})[slug].auth == Auth(style="header", header=header, source=f"env:{name}")


def test_credentials_that_are_more_than_a_header() -> None:
    providers = built_in({})
    assert providers["google-vertex"].auth == Auth(style="google", source="env:GOOGLE_APPLICATION_CREDENTIALS")
    assert providers["amazon-bedrock"].auth == Auth(style="aws", source="env:AWS_BEARER_TOKEN_BEDROCK")


def test_addresses_that_name_a_place() -> None:
    environ = {"AWS_REGION": "eu-west-1", "GOOGLE_CLOUD_PROJECT": "my-project", "GOOGLE_CLOUD_LOCATION": "eu"}
    providers = built_in(environ)
    assert providers["amazon-bedrock"].base_url == "https://bedrock-runtime.eu-west-1.amazonaws.com"
    assert providers["google-vertex"].base_url == "https://aiplatform.eu.rep.googleapis.com/v1beta1/projects/my-project/locations/eu"
    assert not any(providers[slug].operator_url for slug in ("amazon-bedrock", "google-vertex"))


@pytest.mark.parametrize(
    ("slug", "name"),
    [("ollama", "OLLAMA_BASE_URL"), ("vllm", "VLLM_BASE_URL"), ("sglang", "SGLANG_BASE_URL"), ("lmstudio", "LMSTUDIO_BASE_URL")],
)
def test_own_machines_need_no_key_but_an_address(slug: str, name: str) -> None:
    assert built_in({})[slug].base_url == f"env:{name}"
    found = built_in({name: "http://10.0.0.5:8000/v1"})[slug]
    assert found.base_url == "http://10.0.0.5:8000/v1"
    assert found.operator_url
    assert found.auth.source == ""


def test_only_providers_that_are_known_to_stop_are_cancelled() -> None:
    stops = {slug for slug, provider in built_in({}).items() if provider.on_cancel == "stops"}
    hosted = {"openai", "azure", "anthropic", "fireworks", "deepinfra", "together", "novita", "cohere", "xai", "deepseek", "cloudflare"}
    assert stops == hosted | {"local", "ollama", "vllm", "lmstudio", "llamacpp", "sglang"}


def test_a_new_provider_is_the_operators() -> None:
    provider = made({**ACME, "data_policy": {"training": False}, "timeouts": {"connect": 1}})
    assert provider.operator_url
    assert provider.data_policy.training is False
    assert provider.data_policy.zdr is False
    assert provider.timeouts.connect == 1
    assert provider.timeouts.total == 900
    assert provider.auth.source == "env:ACME_API_KEY"


def test_a_known_provider_changes_only_what_is_named() -> None:
    before = built_in({})["mistral"]
    after = made({"slug": "mistral", "quirks": {"tool_id_length": 0}}, {"mistral": before})
    assert after.quirks.tool_id_length == 0
    assert after.quirks.tool_choice_map == {"required": "any"}
    assert (after.name, after.base_url, after.auth, after.operator_url) == (before.name, before.base_url, before.auth, False)


def test_another_auth_header() -> None:
    assert made({**ACME, "auth_header": "X-API-Key"}).auth == Auth(style="header", header="x-api-key", source="env:ACME_API_KEY")


def test_the_style_of_a_credential() -> None:
    before = built_in({})["google-vertex"]
    machine = made({"slug": "google-vertex", "api_key": ""}, {"google-vertex": before})
    assert machine.auth == Auth(style="google", source="")
    keyed = made(
        {"slug": "google-vertex", "api_key": "literal", "auth_header": "x-goog-api-key", "auth_style": "header"}, {before.slug: before}
    )
    assert keyed.auth == Auth(style="header", header="x-goog-api-key", source="literal")
    bearer = made({"slug": "azure", "auth_style": "bearer"}, {"azure": built_in({})["azure"]})
    assert bearer.auth == Auth(style="bearer", header="authorization", source="env:AZURE_OPENAI_API_KEY")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"slug": "Acme AI"}, "providers[0].slug: 'Acme AI' is not a slug"),
        ({"base_url": "127.0.0.1"}, "providers[0].base_url: a URL begins with http"),
        ({"dialect": "openai"}, "providers[0].dialect: 'openai' is not known"),
        ({"apikey": "x"}, "providers[0].apikey: there is no such key. Write instead: api_key"),
        ({"quirks": {"stream_usage": "sometimes"}}, "providers[0].quirks.stream_usage: 'sometimes' is not known"),
        ({"api_key": "env:"}, "providers[0].api_key: '' is not the name of a variable"),
        ({"api_key": "env:MY KEY"}, "providers[0].api_key: 'MY KEY' is not the name of a variable"),
        ({"api_key": "file:"}, "providers[0].api_key: file: names no file"),
        ({"api_key": "lit\neral"}, "providers[0].api_key: the value is empty or no header can carry it"),
        ({"auth_header": "x key"}, "providers[0].auth_header: 'x key' cannot be set"),
        ({"base_url": "env:"}, "providers[0].base_url: '' is not the name of a variable"),
        ({"base_url": "https://{A B}"}, "providers[0].base_url: 'A B' is not the name of a variable"),
        ({"auth_style": "basic"}, "providers[0].auth_style: 'basic' is not known"),
        ({"launch": "docker"}, "providers[0].launch: 'docker' is not known. Write instead: one of local"),
    ],
)
def test_mistakes_are_named(change: dict[str, object], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made({**ACME, **change})
    assert expected in str(caught.value)


def test_a_new_provider_needs_an_address() -> None:
    with pytest.raises(ConfigError, match=r"providers\[0\]\.base_url: missing"):
        made({"slug": "acme"})


def test_overlay_puts_operations_on_top_key_by_key() -> None:
    before = Quirks(
        rename={"a": "b"},
        operations={"embeddings": OperationQuirks(path="/embed", batch=96, set={"x": 1}), "rerank": OperationQuirks(path="/rerank")},
    )
    table = {"rename": {"c": "d"}, "operations": {"embeddings": {"batch": 8, "set": {"y": 2}}, "speech": {"voice": "ada"}}}
    after = overlay(before, table, Quirks, "q")
    assert after.rename == {"c": "d"}
    assert after.operations == {
        "embeddings": OperationQuirks(path="/embed", batch=8, set={"y": 2}),
        "rerank": OperationQuirks(path="/rerank"),
        "speech": OperationQuirks(voice="ada"),
    }
    assert overlay(before, {"rename": {}, "operations": {}}, Quirks, "q") == structs.replace(before, rename={})


def test_overlay_and_dialect() -> None:
    assert overlay(Quirks(merge_system=True), {"tools": "none"}, Quirks, "q") == Quirks(merge_system=True, tools="none")
    assert dialect_named("chat", "d") == "chat"
