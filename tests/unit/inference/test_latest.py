"""Contract 2.7 and 9.1, [Latest]."""

from typing import Any

import msgspec
import pytest

from trunkline.inference.call import Call, Mint
from trunkline.inference.latest import fit_effort, fitted, lowest
from trunkline.inference.skins import CHAT
from trunkline.protocol.catalogue import Reasoning

ALWAYS = Reasoning(mandatory=True, supported_efforts=("high", "medium", "low"))
OPTIONAL = Reasoning(supported_efforts=("high", "medium", "low"))


@pytest.mark.parametrize(
    ("wish", "becomes"),
    [
        ({"reasoning": {"effort": "none"}}, {"reasoning": {"effort": "low"}}),
        ({"reasoning": {"effort": "xhigh"}}, {"reasoning": {"effort": "high"}}),
        ({"reasoning": {"effort": "minimal", "exclude": True}}, {"reasoning": {"effort": "low", "exclude": True}}),
        ({"reasoning": {"enabled": False, "max_tokens": 0}}, {"reasoning": {"effort": "low"}}),
        ({"reasoning": {"max_tokens": 0}}, {"reasoning": {"effort": "low"}}),
        ({"reasoning": {"max_tokens": 2000}}, {"reasoning": {"max_tokens": 2000}}),
        ({"reasoning_effort": "none"}, {"reasoning_effort": "low"}),
        ({"reasoning_effort": "xhigh"}, {"reasoning_effort": "high"}),
        ({"thinking": {"type": "disabled"}}, {"output_config": {"effort": "low"}}),
        ({"output_config": {"effort": "max"}}, {"output_config": {"effort": "high"}}),
        ({"temperature": 1}, {"temperature": 1}),
    ],
)
def test_an_effort_that_the_model_has(wish: dict[str, Any], becomes: dict[str, Any]) -> None:
    assert fitted(wish, ALWAYS) == becomes


@pytest.mark.parametrize("wish", [{"reasoning": {"effort": "none"}}, {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}])
def test_reasoning_that_can_be_switched_off_is(wish: dict[str, Any]) -> None:
    assert fitted(wish, OPTIONAL) == wish


def test_the_lowest_effort() -> None:
    assert lowest(ALWAYS) == "low"
    assert lowest(Reasoning(mandatory=True, supported_efforts=("none", "minimal", "high"))) == "minimal"
    assert lowest(Reasoning(mandatory=True)) == "low"


def test_a_request_that_fits_stays_as_it_is() -> None:
    def fit(**fields: Any) -> tuple[bool, Any]:
        body = {"model": "~a/m-latest", "messages": [{"role": "user", "content": "x"}], **fields}
        call = Call({}, msgspec.json.encode(body), Mint(), CHAT)
        request = CHAT.parse(call.body)
        after = fit_effort(call, request, ALWAYS)
        return after is request, after

    assert fit()[0]
    assert fit(reasoning={"effort": "high"})[0]
    same, changed = fit(reasoning={"effort": "xhigh"})
    assert not same
    assert (changed.effort, msgspec.json.decode(changed.fields["reasoning"])) == ("high", {"effort": "high"})
    call = Call({}, b"", Mint(), CHAT)
    assert fit_effort(call, changed, None) is changed
