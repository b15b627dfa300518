from endpoints import PLAIN
from msgspec.structs import replace

from trunkline.dialects.responses.support import Support
from trunkline.protocol.quirks import Quirks


def support(*names: str) -> Support:
    return Support(replace(PLAIN, supported_parameters=frozenset(names)))


def test_without_a_list_everything_of_the_dialect_goes() -> None:
    unknown = Support(PLAIN)
    assert all(unknown.takes(name) for name in ("temperature", "tools", "reasoning", "verbosity", "response_format"))
    assert not any(unknown.takes(name) for name in ("top_k", "frequency_penalty", "presence_penalty"))
    assert not unknown.knows_reasoning


def test_with_a_list_only_what_is_listed_goes() -> None:
    listed = support("temperature", "max_completion_tokens", "top_k")
    assert listed.takes("temperature")
    assert listed.takes("top_k")
    assert not listed.takes("top_p")
    assert not listed.takes("reasoning")


def test_reasoning_has_several_names() -> None:
    for name in ("reasoning", "reasoning_effort", "include_reasoning"):
        assert support(name).knows_reasoning
        assert support(name).takes("reasoning")


def test_structured_outputs_are_a_response_format() -> None:
    assert support("structured_outputs").takes("response_format")
    assert not support("tools").takes("response_format")


def test_the_family_is_openais_unless_said() -> None:
    assert Support(PLAIN).formats == ("openai-responses-v1",)
    own = replace(PLAIN, quirks=Quirks(reasoning_formats=("xai-responses-v1",)))
    assert Support(own).formats == ("xai-responses-v1",)
