import base64

from trunkline.dialects.hub.conversation import Reasoning
from trunkline.dialects.messages.seal import OWN, PREFIX, Sealed, close, open_seal, redacted, thinking

FOREIGN = Sealed(format="openai-responses-v1", id="rs_1", summary=True, data="enc==")


def test_a_seal_opens_to_what_was_put_in() -> None:
    assert open_seal(close(FOREIGN)) == FOREIGN


def test_only_sealed_text_opens() -> None:
    for text in ("", "EqoB", PREFIX, PREFIX + "???", PREFIX + base64.b64encode(b"[1]").decode(), PREFIX + base64.b64encode(b"{").decode()):
        assert open_seal(text) is None


def test_bug_01_anthropics_own_signature_is_kept() -> None:
    assert thinking("why", "sig==") == [Reasoning(text="why", signature="sig==", format=OWN)]
    assert thinking("", "sig==") == [Reasoning(text="", signature="sig==", format=OWN)]
    assert redacted("blob") == [Reasoning(kind="encrypted", data="blob", format=OWN)]


def test_bug_02_thinking_without_a_signature_is_nobodys() -> None:
    assert thinking("why", "") == [Reasoning(text="why", format="unknown")]
    assert thinking("why", PREFIX + "damaged") == [Reasoning(text="why", format="unknown")]
    assert redacted(PREFIX + "damaged") == []


def test_bug_02_reasoning_of_another_family_comes_back_as_that_familys() -> None:
    made = thinking("in short", close(FOREIGN))
    assert made == [
        Reasoning(kind="summary", text="in short", format="openai-responses-v1", id="rs_1"),
        Reasoning(kind="encrypted", data="enc==", format="openai-responses-v1", id="rs_1"),
    ]
    assert redacted(close(FOREIGN)) == made[1:]


def test_a_signature_of_another_family_comes_back() -> None:
    sealed = close(Sealed(format="google-gemini-v1", signature="g=="))
    assert thinking("hm", sealed) == [Reasoning(text="hm", signature="g==", format="google-gemini-v1")]
    assert redacted(sealed) == []
