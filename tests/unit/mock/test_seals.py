import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.mock.seals import envelope, holds, opens, seal


@given(st.text())
def test_a_seal_holds_for_its_text_only(text: str) -> None:
    signature = seal(text, kind="thinking")
    assert base64.b64decode(signature)
    assert holds(signature, text, kind="thinking")
    assert not holds(signature, text + ".", kind="thinking")
    assert not holds(signature, text, kind="thought")
    assert not holds(signature, text, kind="thinking", realm="other")


@given(st.text())
def test_an_envelope_opens_in_its_realm_only(text: str) -> None:
    data = envelope(text, kind="encrypted")
    assert opens(data, kind="encrypted")
    assert not opens(data, kind="redacted")
    assert not opens(data, kind="encrypted", realm="other")


@pytest.mark.parametrize("data", ["", "gAAAAAB", "not base64!", "\u00fc", base64.b64encode(b"x" * 40).decode()])
def test_what_is_foreign_does_not_open(data: str) -> None:
    assert not opens(data, kind="encrypted")
    assert not holds(data, "text", kind="thinking")
