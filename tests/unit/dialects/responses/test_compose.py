import msgspec
import pytest
from endpoints import PLAIN
from msgspec import Raw
from msgspec.structs import replace

from trunkline.dialects.hub.conversation import Conversation, Format, Reasoning, ReasoningWish, Sampling, Text, Tool, ToolChoice, Turn
from trunkline.dialects.responses.compose import Composer
from trunkline.protocol.quirks import Quirks

USER = Turn(role="user", blocks=(Text(text="hi"),))
FUNCTION = Tool(name="f")


def body(quirks: Quirks | None = None, supported: tuple[str, ...] | None = None, **fields: object) -> dict[str, object]:
    endpoint = replace(
        PLAIN, dialect="responses", quirks=quirks or Quirks(), supported_parameters=None if supported is None else frozenset(supported)
    )
    conversation = Conversation(**{"turns": (USER,), **fields})  # type: ignore[arg-type]
    return msgspec.json.decode(Composer(endpoint).compose(conversation))  # type: ignore[no-any-return]


def test_a_small_conversation() -> None:
    assert body() == {
        "model": "m",
        "input": [{"type": "message", "role": "user", "content": "hi"}],
        "store": False,
        "stream": False,
    }


def test_nothing_that_was_not_asked_is_sent() -> None:
    assert body(stream=True).keys() == {"model", "input", "store", "stream"}


def test_the_output_limit_has_a_minimum() -> None:
    assert body(max_tokens=1)["max_output_tokens"] == 16
    assert body(max_tokens=17)["max_output_tokens"] == 17


def test_sampling_goes_where_it_is_taken() -> None:
    sampling = Sampling(temperature=0.5, top_p=0.9, top_k=4, frequency_penalty=1.0, presence_penalty=1.0, seed=3, min_p=0.1)
    assert body(sampling=sampling).items() >= {"temperature": 0.5, "top_p": 0.9}.items()
    assert body(sampling=sampling).keys().isdisjoint({"top_k", "frequency_penalty", "presence_penalty", "seed", "min_p"})
    assert body(supported=("max_tokens", "top_k"), sampling=sampling).keys() == {"model", "input", "store", "stream", "top_k"}


def test_probabilities_are_included() -> None:
    got = body(sampling=Sampling(logprobs=True, top_logprobs=2))
    assert (got["top_logprobs"], got["include"]) == (2, ["message.output_text.logprobs"])


def test_tools_and_their_choice() -> None:
    got = body(tools=(FUNCTION,), tool_choice=ToolChoice(mode="required", parallel=False))
    assert got["tools"][0]["name"] == "f"  # type: ignore[index]
    assert (got["tool_choice"], got["parallel_tool_calls"]) == ("required", False)
    assert body(tool_choice=ToolChoice(mode="none", parallel=True)).keys().isdisjoint({"tools", "tool_choice", "parallel_tool_calls"})
    assert "tools" not in body(Quirks(tools="none"), tools=(FUNCTION,))
    assert "tools" not in body(supported=("temperature",), tools=(FUNCTION,))
    only = body(supported=("tools",), tools=(FUNCTION,), tool_choice=ToolChoice(mode="required", parallel=False))
    assert only.keys().isdisjoint({"tool_choice", "parallel_tool_calls"})


@pytest.mark.parametrize(
    ("supported", "wish", "included"),
    [
        (("reasoning",), None, True),
        (("temperature",), None, False),
        (("temperature",), ReasoningWish(effort="low"), False),
        (None, None, False),
        (None, ReasoningWish(effort="low"), True),
        (None, ReasoningWish(enabled=False), False),
    ],
)
def test_encrypted_reasoning_is_asked_of_models_that_reason(
    supported: tuple[str, ...] | None, wish: ReasoningWish | None, included: bool
) -> None:
    """Others refuse to be asked for it."""
    assert (body(supported=supported, reasoning=wish).get("include") == ["reasoning.encrypted_content"]) is included


def test_encrypted_reasoning_in_the_history_shows_that_the_model_reasons() -> None:
    thought = Reasoning(kind="encrypted", data="ZQ", format="openai-responses-v1", id="rs_1")
    turn = Turn(role="assistant", blocks=(thought, Text(text="a")))
    assert body(turns=(USER, turn))["include"] == ["reasoning.encrypted_content"]


def test_a_summary_is_asked_for_dialects_that_show_reasoning() -> None:
    assert body(reasoning=ReasoningWish(effort="low"), dialect="chat")["reasoning"] == {"effort": "low", "summary": "auto"}
    assert body(reasoning=ReasoningWish(effort="low", exclude=True), dialect="chat")["reasoning"] == {"effort": "low"}
    assert body(reasoning=ReasoningWish(effort="low"), dialect="responses")["reasoning"] == {"effort": "low"}
    assert "reasoning" not in body(dialect="chat")
    assert "reasoning" not in body(supported=("temperature",), reasoning=ReasoningWish(effort="low"))


def test_text_goes_where_it_is_taken() -> None:
    fields: dict[str, object] = {"format": Format(kind="json_object"), "verbosity": "low"}
    assert body(**fields)["text"] == {"format": {"type": "json_object"}, "verbosity": "low"}
    assert body(supported=("response_format",), **fields)["text"] == {"format": {"type": "json_object"}}
    assert body(supported=("verbosity",), **fields)["text"] == {"verbosity": "low"}
    assert "text" not in body(supported=(), **fields)


def test_tiers_and_cache_keys() -> None:
    assert body(service_tier="fast")["service_tier"] == "priority"
    assert body(service_tier="flex", prompt_cache_key="k").items() >= {"service_tier": "flex", "prompt_cache_key": "k"}.items()


def test_extra_keys_go_to_their_own_dialect_only() -> None:
    extra = {"truncation": Raw(b'"auto"'), "user": Raw(b'"u"'), "include": Raw(b'["file_search_call.results"]'), "metadata": Raw(b"{}")}
    own = body(extra=extra, dialect="responses")
    assert (own["truncation"], own["include"]) == ("auto", ["file_search_call.results"])
    assert own.keys().isdisjoint({"user", "metadata"})
    assert body(extra=extra, dialect="chat").keys() == {"model", "input", "store", "stream"}


def test_cache_marks_go_with_options_of_the_own_dialect() -> None:
    turn = Turn(role="user", blocks=(Text(text="a", cache="5m"),))
    extra = {"prompt_cache_options": Raw(b'{"mode":"explicit"}')}
    assert b"prompt_cache_breakpoint" in msgspec.json.encode(body(turns=(turn,), extra=extra, dialect="responses"))
    assert b"prompt_cache_breakpoint" not in msgspec.json.encode(body(turns=(turn,), extra=extra, dialect="messages"))


def test_system_turns_are_made_one_where_a_server_takes_one() -> None:
    turns = tuple(Turn(role="system", blocks=(Text(text=text),)) for text in "ab")
    assert body(Quirks(merge_system=True), turns=turns)["input"] == [{"type": "message", "role": "system", "content": "a\n\nb"}]


def test_quirks_have_the_last_word() -> None:
    quirks = Quirks(drop=("temperature",), rename={"max_output_tokens": "limit"}, set={"store": True}, system_role="developer")
    turns = (Turn(role="system", blocks=(Text(text="s"),)), USER)
    got = body(quirks, turns=turns, max_tokens=20, sampling=Sampling(temperature=1.0))
    assert (got["limit"], got["store"]) == (20, True)
    assert got["input"][0]["role"] == "developer"  # type: ignore[index]
    assert got.keys().isdisjoint({"temperature", "max_output_tokens"})
