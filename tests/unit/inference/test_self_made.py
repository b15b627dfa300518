import asyncio

import msgspec
import pytest
from pipelines import USER, Ledgers, Outcome, never

from trunkline.inference.call import Call, Mint
from trunkline.inference.ledger import Ledger
from trunkline.inference.reply import AsgiReply
from trunkline.inference.self_made import PROVIDER, answer, endpoint_of, exchange_of
from trunkline.inference.skins import CHAT
from trunkline.metering.estimates import Estimates
from trunkline.protocol.request import Chosen

CHOSEN = Chosen("openrouter/bodybuilder", answer='{"requests":[]}')


def run(*, stream: bool) -> tuple[Outcome, Ledgers]:
    body = {"model": CHOSEN.router, "messages": [{"role": "user", "content": "x"}], "stream": stream}
    call, ledgers, outcome = Call({}, msgspec.json.encode(body), Mint(), CHAT), Ledgers(), Outcome()
    request = msgspec.structs.replace(CHAT.parse(call.body), chosen=CHOSEN)
    exchange = exchange_of(call, USER, request, CHOSEN)
    reply = AsgiReply(outcome.send, never, [])
    asyncio.run(answer(exchange, reply, Ledger(ledgers, ledgers, Estimates()), b'{"attempt":0}'))
    return outcome, ledgers


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_without_an_upstream_costs_nothing(stream: bool) -> None:
    outcome, ledgers = run(stream=stream)
    assert outcome.ended
    if stream:
        assert outcome.text == CHOSEN.answer
        assert outcome.body.endswith(b"data: [DONE]\n\n")
    else:
        assert outcome.json["choices"][0]["message"]["content"] == CHOSEN.answer
        assert outcome.json["openrouter_metadata"] == {"attempt": 0}
    (record,) = ledgers.records
    assert (record.cost, record.status, record.finish_reason, record.router) == (0, 200, "stop", CHOSEN.router)
    assert (record.provider_name, record.input_tokens) == (PROVIDER, 0)
    assert ledgers.settled == [0]


def test_the_endpoint_is_this_server() -> None:
    endpoint = endpoint_of(CHOSEN)
    assert (endpoint.model, endpoint.provider_name, endpoint.pricing.prompt) == (CHOSEN.router, PROVIDER, 0)
