import msgspec
import pytest

from trunkline.dialects.chat.wishes import effort_of_wish, given, wish_fields
from trunkline.dialects.hub.conversation import Conversation, Effort, Format, ReasoningWish, Sampling


def sent(**fields: object) -> dict[str, object]:
    out = msgspec.json.decode(msgspec.json.encode(wish_fields(Conversation(turns=(), **fields))))  # type: ignore[arg-type]
    assert isinstance(out, dict)
    return out


def test_nothing_wished_nothing_sent() -> None:
    assert sent() == {}


def test_everything_under_its_own_name() -> None:
    raw = msgspec.Raw(b'{"b":1, "a":2}')
    got = wish_fields(
        Conversation(
            turns=(),
            sampling=Sampling(temperature=0, top_p=0.5, logit_bias=raw, logprobs=False),
            max_tokens=5,
            stop=("a", "b"),
            stream=True,
            prediction=raw,
            modalities=("text",),
            image_config=raw,
            audio=raw,
            cache="5m",
            prompt_cache_key="k",
        )
    )
    assert got == {
        **{"temperature": 0, "top_p": 0.5, "logit_bias": raw, "logprobs": False, "max_tokens": 5, "stop": ["a", "b"], "stream": True},
        **{"prediction": raw, "modalities": ["text"], "image_config": raw, "audio": raw, "prompt_cache_key": "k"},
        "cache_control": {"type": "ephemeral"},
    }


@pytest.mark.parametrize(("tier", "verbosity"), [("standard_only", "loud"), (None, None), ("", "")])
def test_bug_21_words_of_other_dialects_are_not_sent(tier: str | None, verbosity: str | None) -> None:
    assert sent(service_tier=tier, verbosity=verbosity) == {}
    assert sent(service_tier="priority", verbosity="high") == {"service_tier": "priority", "verbosity": "high"}


@pytest.mark.parametrize(
    ("form", "wire"),
    [
        (Format(), {"type": "text"}),
        (Format(kind="json_object"), {"type": "json_object"}),
        (
            Format(kind="json_schema", schema=msgspec.Raw(b'{"type":"object"}')),
            {"type": "json_schema", "json_schema": {"name": "response", "schema": {"type": "object"}}},
        ),
        (
            Format(kind="json_schema", name="n", description="d", strict=False),
            {"type": "json_schema", "json_schema": {"name": "n", "description": "d", "strict": False}},
        ),
    ],
)
def test_forms_of_the_answer(form: Format, wire: object) -> None:
    assert sent(format=form) == {"response_format": wire}


@pytest.mark.parametrize(
    ("wish", "effort", "wire"),
    [
        (ReasoningWish(), None, {}),
        (ReasoningWish(enabled=True), "medium", {"enabled": True}),
        (ReasoningWish(adaptive=True), None, {"enabled": True}),
        (ReasoningWish(enabled=True, adaptive=True, effort="low"), "low", {"effort": "low"}),
        (ReasoningWish(enabled=False), "none", {"effort": "none"}),
        (ReasoningWish(enabled=False, effort="high"), "none", {"effort": "none"}),
        (ReasoningWish(max_tokens=2000, enabled=True), None, {"max_tokens": 2000}),
        (ReasoningWish(exclude=True), None, {"exclude": True}),
        (ReasoningWish(effort="max", summary="auto", mode="pro"), "max", {"effort": "max", "summary": "auto", "mode": "pro"}),
    ],
)
def test_reasoning(wish: ReasoningWish, effort: Effort | None, wire: object) -> None:
    assert effort_of_wish(wish) == effort
    assert sent(reasoning=wish) == {"reasoning": wire}


def test_no_wish_about_reasoning() -> None:
    assert effort_of_wish(None) is None


def test_a_given_value_keeps_its_bytes_and_null_is_none() -> None:
    assert given(msgspec.UNSET) is None
    assert given(msgspec.Raw(b"null")) is None
    assert bytes(given(msgspec.Raw(b"[ 1]")) or b"") == b"[ 1]"
