import pytest

from trunkline.mock.call import Asked
from trunkline.mock.checks.keys import KNOWN, unknown
from trunkline.mock.refusals import body
from trunkline.mock.script import Scene

STRICT = Scene(strict=True)
LEAKED = ("provider", "models", "plugins", "route", "transforms", "preset", "session_id", "usage", "trace", "debug")


@pytest.mark.parametrize("dialect", KNOWN)
@pytest.mark.parametrize("key", LEAKED)
def test_keys_of_the_gateway_are_refused(dialect: str, key: str) -> None:
    asked = Asked(path="/", body={key: 1})
    refusal = unknown(asked, STRICT, dialect)
    assert refusal is not None
    assert refusal.status in (400, 422)
    assert key in refusal.message


@pytest.mark.parametrize("dialect", KNOWN)
def test_known_and_allowed_keys_pass(dialect: str) -> None:
    asked = Asked(path="/", body=dict.fromkeys(KNOWN[dialect]) | {"provider": 1})
    assert unknown(asked, Scene(strict=True, allow=("provider",)), dialect) is None
    assert unknown(asked, Scene(), dialect) is None
    assert unknown(asked, STRICT, "speech") is None


def test_the_words_of_the_vendors() -> None:
    asked = Asked(path="/", body={"provider": {}})
    openai, anthropic = unknown(asked, STRICT, "responses"), unknown(asked, STRICT, "messages")
    assert openai is not None
    assert anthropic is not None
    assert (openai.code, openai.param) == ("unknown_parameter", "provider")
    assert anthropic.message == "provider: Extra inputs are not permitted"
    mistral = unknown(asked, Scene(strict=True, shape="mistral"), "chat")
    assert mistral is not None
    assert mistral.status == 422
    assert b'"loc":["body","provider"]' in body(mistral, "mistral")
