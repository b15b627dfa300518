from datetime import date

import pytest

from trunkline.catalogue.entries import endpoint_id, endpoint_of, model_of
from trunkline.errors import ConfigError
from trunkline.protocol.catalogue import Auth, DataPolicy, Endpoint, Model, Provider, Timeouts
from trunkline.protocol.quirks import Quirks

ACME = Provider(
    slug="acme",
    name="Acme",
    base_url="http://127.0.0.1:9001/v1",
    auth=Auth(source="env:ACME_API_KEY"),
    quirks=Quirks(merge_system=True),
    operator_url=True,
    model_prefix="models/",
    on_cancel="stops",
)
ECHO = Model(id="acme/echo-1", name="Acme: Echo 1", author="acme", canonical_slug="acme/echo-1", created=5)
PRICE = {"prompt": "0.000001", "completion": "0.000002"}
TABLE = {"model": "acme/echo-1", "provider": "acme", "upstream_model": "echo-1", "pricing": PRICE}


def a_model(table: object, known: dict[str, Model] | None = None) -> Model:
    return model_of(table, "t.toml: models[0]", known or {}, lambda _: 42)


def an_endpoint(
    table: object, known: dict[str, Endpoint] | None = None, environ: dict[str, str] | None = None, *, operator: bool = True
) -> Endpoint:
    return endpoint_of(table, "t.toml: endpoints[0]", known or {}, {ECHO.id: ECHO}, {"acme": ACME}, environ or {}, operator=operator)


def test_a_model_needs_only_its_id() -> None:
    assert a_model({"id": "acme/echo-1"}) == Model(
        id="acme/echo-1", name="acme/echo-1", author="acme", canonical_slug="acme/echo-1", created=42
    )
    assert a_model({"id": "acme/echo-1:free"}).canonical_slug == "acme/echo-1"


@pytest.mark.parametrize(("created", "seconds"), [(date(2024, 11, 1), 1730419200), ("2024-11-01", 1730419200), (1765389783, 1765389783)])
def test_release_dates(created: object, seconds: int) -> None:
    assert a_model({"id": "acme/echo-1", "created": created}).created == seconds


def test_a_known_model_changes_only_what_is_named() -> None:
    entry = {"id": "acme/echo-1", "context_length": 9, "expiration_date": "2026-08-10", "retired": True, "successor": "acme/echo-2"}
    after = a_model(entry, {ECHO.id: ECHO})
    assert (after.name, after.created, after.context_length) == ("Acme: Echo 1", 5, 9)
    assert (after.expiration_date, after.retired, after.successor) == ("2026-08-10", True, "acme/echo-2")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"id": "echo"}, "models[0].id: 'echo' is not a model slug"),
        (
            {"id": "acme/echo:nitro"},
            "models[0].id: 'acme/echo:nitro' ends in a variant that works on every model. Write instead: acme/echo",
        ),
        ({"aliases": ["x y"]}, "models[0].aliases: 'x y' is not a model slug"),
        ({"context_length": 0}, "models[0].context_length: 0 is not a number of tokens"),
        ({"input_modalities": ["text", "images"]}, "models[0].input_modalities[1]: 'images' is not known. Write instead: image"),
        ({"output_modalities": ["file"]}, "models[0].output_modalities[0]: 'file' is not known"),
        ({"tokenizer": "Gpt"}, "models[0].tokenizer: 'Gpt' is not known. Write instead: GPT"),
        ({"expiration_date": "soon"}, "models[0].expiration_date: expected a date such as 2026-08-10"),
        ({"reasoning": {"mandatry": True}}, "models[0].reasoning.mandatry: there is no such key. Write instead: mandatory"),
        ({"reasoning": {"supported_efforts": ["hi"]}}, "models[0].reasoning.supported_efforts: 'hi' is not known"),
        ({"default_parameters": {"temprature": 1}}, "models[0].default_parameters: 'temprature' is not known. Write instead: temperature"),
        ({"contxt_length": 1}, "models[0].contxt_length: there is no such key. Write instead: context_length"),
    ],
)
def test_mistakes_in_models_are_named(change: dict[str, object], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        a_model({"id": "acme/echo-1", **change})
    assert expected in str(caught.value)


def test_an_endpoint_takes_over_what_its_provider_says() -> None:
    endpoint = an_endpoint(TABLE)
    assert endpoint.id == endpoint_id("acme/echo-1", "acme") == "acme/echo-1@acme"
    assert (endpoint.tag, endpoint.provider_name, endpoint.base_url) == ("acme", "Acme", ACME.base_url)
    assert (endpoint.auth, endpoint.quirks, endpoint.on_cancel, endpoint.operator_url) == (ACME.auth, ACME.quirks, "stops", True)
    assert (endpoint.pricing.prompt, endpoint.pricing.completion) == (1_000_000, 2_000_000)
    assert endpoint.data_policy == DataPolicy()
    assert endpoint.supported_parameters is None
    assert len(endpoint.price_version) == 12


def test_the_providers_prefix_is_put_once_before_the_upstream_name() -> None:
    assert an_endpoint(TABLE).upstream_model == "models/echo-1"
    assert an_endpoint({**TABLE, "upstream_model": "models/echo-1"}).upstream_model == "models/echo-1"


def test_an_endpoint_may_differ_from_its_provider_key_by_key() -> None:
    endpoint = an_endpoint(
        {
            **TABLE,
            "quirks": {"tools": "none"},
            "timeouts": {"connect": 1, "idle": 2.5},
            "data_policy": {"training": False},
            "on_cancel": "bills_on",
            "base_url": "env:ECHO_URL",
            "extra_headers": {"X-Team": "blue"},
            "supported_parameters": ["tools"],
            "quantization": "fp8",
        },
        environ={"ECHO_URL": "http://10.1.1.1/v1"},
    )
    assert endpoint.quirks == Quirks(merge_system=True, tools="none")
    assert endpoint.timeouts == Timeouts(connect=1, idle=2.5)
    assert endpoint.data_policy == DataPolicy(training=False)
    assert (endpoint.on_cancel, endpoint.base_url, endpoint.quantization) == ("bills_on", "http://10.1.1.1/v1", "fp8")
    assert endpoint.extra_headers == {"x-team": "blue"}
    assert endpoint.supported_parameters == {"tools"}


def test_only_an_address_of_the_operators_may_be_a_private_one() -> None:
    assert an_endpoint({**TABLE, "base_url": "http://10.1.1.1"}).operator_url
    assert not an_endpoint({**TABLE, "base_url": "https://api.example.com"}, operator=False).operator_url
    assert an_endpoint({**TABLE, "base_url": "env:URL"}, operator=False).operator_url


def test_an_endpoint_may_speak_another_dialect_than_its_provider() -> None:
    endpoint = an_endpoint({**TABLE, "dialect": "messages", "base_url": "https://{PLACE}.example.com", "quirks": {"thinking": "adaptive"}})
    assert (endpoint.dialect, endpoint.base_url, endpoint.quirks.thinking) == ("messages", "https://{PLACE}.example.com", "adaptive")
    filled = an_endpoint({**TABLE, "base_url": "https://{PLACE}.example.com"}, environ={"PLACE": "here"})
    assert filled.base_url == "https://here.example.com"


def test_a_known_endpoint_changes_only_what_is_named() -> None:
    before = an_endpoint({**TABLE, "context_length": 7})
    after = an_endpoint({"model": "acme/echo-1", "provider": "acme", "pricing": {**PRICE, "prompt": "0"}}, {before.id: before})
    assert (after.context_length, after.upstream_model, after.pricing.prompt) == (7, "models/echo-1", 0)
    assert after.price_version != before.price_version


def test_an_endpoint_that_takes_schemas_takes_the_parameter_in_which_they_stand() -> None:
    assert an_endpoint({**TABLE, "supported_parameters": ["structured_outputs"]}).supported_parameters == {
        "response_format",
        "structured_outputs",
    }


def test_tags_tell_endpoints_of_one_provider_apart() -> None:
    assert an_endpoint({**TABLE, "tag": "acme/fp8"}).id == "acme/echo-1@acme/fp8"
    with pytest.raises(ConfigError, match=r"endpoints\[0\]\.tag: 'fp8' does not begin with .*Write instead: acme/fp8"):
        an_endpoint({**TABLE, "tag": "fp8"})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model": "acme/echo-2"}, "endpoints[0].model: 'acme/echo-2' is not known. Write instead: acme/echo-1"),
        ({"provider": "acm"}, "endpoints[0].provider: 'acm' is not known. Write instead: acme"),
        ({"dialect": "gemeinde"}, "endpoints[0].dialect: "),
        ({"quantization": "fp9"}, "endpoints[0].quantization: 'fp9' is not known"),
        ({"supported_parameters": ["tool"]}, "endpoints[0].supported_parameters[0]: 'tool' is not known. Write instead: tools"),
        ({"max_completion_tokens": -1}, "endpoints[0].max_completion_tokens: -1 is not a number of tokens"),
        ({"base_url": "ftp://x"}, "endpoints[0].base_url: a URL begins with http"),
        ({"extra_headers": {"host": "x"}}, "endpoints[0].extra_headers: 'host' cannot be set"),
        ({"extra_headers": {"x-a": "b\n"}}, "endpoints[0].extra_headers: the value is empty or no header can carry it"),
        ({"pricing": {"prompt": "1"}}, "endpoints[0].pricing.completion: missing"),
        ({"quirks": {"merge": True}}, "endpoints[0].quirks.merge: there is no such key"),
        ({"on_cancel": "stop"}, "endpoints[0].on_cancel: 'stop' is not known. Write instead: stops"),
    ],
)
def test_mistakes_in_endpoints_are_named(change: dict[str, object], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        an_endpoint({**TABLE, **change})
    assert expected in str(caught.value)


@pytest.mark.parametrize("key", ["pricing", "upstream_model"])
def test_a_new_endpoint_needs_a_price_and_an_upstream_name(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"endpoints\[0\]\.{key}: missing"):
        an_endpoint({name: value for name, value in TABLE.items() if name != key})
