"""What an operator must set before an endpoint can be called."""

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.load import load
from trunkline.pages.readiness import Readiness, alternatives, readiness_of


def test_an_endpoint_is_ready_or_names_its_variables(catalogue: Catalogue) -> None:
    states = {endpoint.provider: readiness_of(catalogue, endpoint) for endpoint in catalogue.endpoints_of("acme/echo-1")}
    assert states == {"acme": Readiness("ready"), "zeta": Readiness("missing", ("ZETA_API_KEY", "ZETA_BASE_URL"))}


def test_one_set_of_variables_is_enough(catalogue: Catalogue) -> None:
    assert alternatives(catalogue, "acme/echo-1") == ()
    assert alternatives(catalogue, "zeta/vector-1") == (("ZETA_API_KEY", "ZETA_BASE_URL"),)
    assert alternatives(catalogue, "openai/gpt-5.2-chat") == (("OPENAI_API_KEY",), ("OPENROUTER_API_KEY",))


def test_the_local_model_is_on_or_off() -> None:
    model = "huggingfacetb/smollm2-135m-instruct"
    off, on = load(None, {}, local=None), load(None, {}, local="http://127.0.0.1:9/v1")
    assert [readiness_of(catalogue, catalogue.endpoints_of(model)[0]).state for catalogue in (off, on)] == ["off", "ready"]
