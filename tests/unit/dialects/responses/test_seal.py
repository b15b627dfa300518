import base64

import pytest

from trunkline.dialects.responses.items import ReasoningItem
from trunkline.dialects.responses.seal import OWN, PREFIX, close, is_sealed, opened


def item(encrypted: str | None, **fields: object) -> ReasoningItem:
    return ReasoningItem(encrypted_content=encrypted, **fields)  # type: ignore[arg-type]


def test_a_client_that_keeps_only_standard_fields_brings_everything_back() -> None:
    for family, signature, data in (
        ("anthropic-claude-v1", "s==", None),
        ("google-gemini-v1", None, "d=="),
        ("xai-responses-v1", "s", "d"),
    ):
        found = opened(item(close(family, signature, data)))
        assert (found.format, found.signature, found.encrypted_content) == (family, signature, data)


def test_openais_own_data_and_nothing_stay_as_they_are() -> None:
    assert close(OWN, None, "enc==") == "enc=="
    assert close(OWN, None, None) is None
    assert close("unknown", "s", "enc==") == "enc=="
    assert close("google-gemini-v1", None, None) is None
    for plain in (item("enc=="), item(None)):
        assert not is_sealed(plain)
        assert opened(plain) is plain


@pytest.mark.parametrize("damaged", ["", "???", base64.b64encode(b"{").decode(), base64.b64encode(b"[1]").decode()])
def test_of_a_damaged_seal_nothing_reaches_an_upstream(damaged: str) -> None:
    found = opened(item(PREFIX + damaged, format="google-gemini-v1", signature="s"))
    assert (found.format, found.signature, found.encrypted_content) == ("google-gemini-v1", "s", None)
    assert opened(item(PREFIX + damaged)).format == "unknown"
