"""Hedging over the wire: off until it is switched on; then the faster endpoint answers, and the cost of the slower one is told."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clients import call, get, until
from gateway import MODEL, Gateway, provider

from trunkline.mock.script import Answer, Fault, Pace, Rule, Tokens
from trunkline.mock.thread import MockServer

LATE_MS = 30
HEDGING = "[routing]\nhedging = true\nhedging_extra_load = 0.1\n"
ANSWER = Answer(text="one two", tokens=Tokens(prompt=7, completion=3))
COST = 7 * 1e-06 + 3 * 2e-06
BODY = {
    "model": "acme/echo-1",
    "messages": [{"role": "user", "content": "Say so."}],
    "stream": True,
    "provider": {"order": ["acme", "bolt"]},
}


@pytest.fixture
def mocks() -> Iterator[tuple[MockServer, MockServer]]:
    with MockServer() as first, MockServer() as second:
        for one in (first, second):
            one.use(Rule(answer=ANSWER, pace=Pace(first_ms=LATE_MS)))
        yield first, second


def configuration(mocks: tuple[MockServer, MockServer], routing: str = "", cancel: str = "stops") -> str:
    """Two endpoints of one model."""
    first, second = mocks
    extra = f'on_cancel = "{cancel}"'
    return MODEL + provider(first.url, extra=extra) + provider(second.url, "bolt", extra=extra) + routing


def ask(gateway: Gateway, path: str = "/api/v1/chat/completions", **fields: Any) -> Any:
    """One call."""
    return call(gateway, "POST", path, json.dumps({**BODY, **fields}).encode(), headers={"x-openrouter-metadata": "enabled"})


def make_ready(gateway: Gateway) -> None:
    """Twenty requests, after which a slow one will be hedged."""
    for _ in range(20):
        assert ask(gateway).status == 200
    until(lambda: "after_seconds" in ask(gateway, "/api/v1/route").json["data"]["hedge"], 30)


def last(answer: Any) -> dict[str, Any]:
    """The last event of a stream."""
    return json.loads([line for line in answer.body.split(b"\n") if line.startswith(b"data: {")][-1][6:])


def generation(gateway: Gateway, id: str) -> dict[str, Any]:
    """What is recorded of one."""
    until(lambda: get(gateway, f"/generation?id={id}").status == 200, 30)
    return get(gateway, f"/generation?id={id}").json["data"]


def test_a_slow_endpoint_is_overtaken_and_what_it_cost_is_told(mocks: tuple[MockServer, MockServer], tmp_path: Path) -> None:
    first, second = mocks
    with Gateway(tmp_path, configuration(mocks)) as gateway:
        for _ in range(20):
            assert ask(gateway).status == 200
        assert "hedge" not in ask(gateway, "/api/v1/route").json["data"]
        assert "hedging" not in call(gateway, "GET", "/health").json
        gateway.config.write_text(configuration(mocks, HEDGING))
        gateway.signal(1)
        until(lambda: "hedging" in call(gateway, "GET", "/health").json, 30)
        until(lambda: ask(gateway, "/api/v1/route").json["data"]["hedge"] == {"why_not": "extra_load"}, 30)
        second.reset()
        warm = [ask(gateway, stream=False) for _ in range(10)]
        assert [one.status for one in warm] == [200] * 10
        outlook = ask(gateway, "/api/v1/route").json["data"]["hedge"]
        assert (outlook["tag"], outlook["after_seconds"] > LATE_MS / 1000) == ("bolt", True)
        assert not second.seen()

        first.use(Rule(answer=ANSWER, fault=Fault(kind="slow_first", seconds=3600)))
        answer = ask(gateway)
        told = last(answer)
        assert (told["provider"], told["usage"]["cost"]) == ("Bolt", pytest.approx(COST))
        assert [(one["provider"], one.get("hedge"), one.get("cancelled")) for one in told["openrouter_metadata"]["attempts"]] == [
            ("Acme", None, True),
            ("Bolt", True, None),
        ]
        first.wait(lambda seen: seen[-1].aborted)
        record = generation(gateway, told["id"])
        slow, quick = record["provider_responses"]
        assert (slow["provider_name"], slow["status"], quick["provider_name"], quick["hedge"]) == ("Acme", None, "Bolt", True)
        lost = generation(gateway, slow["metered_as"])
        assert (lost["hedge_of"], lost["total_cost"], lost["cancelled"], lost["provider_name"]) == (told["id"], 0, True, "Acme")
        assert lost["upstream_inference_cost"] == pytest.approx(lost["tokens_prompt"] * 1e-06) != 0
        counted = call(gateway, "GET", "/health").json["hedging"]
        assert (counted["started"], counted["won"]) == (1, 1)
        assert counted["lost_cost_usd"] == pytest.approx(lost["upstream_inference_cost"])
        until(lambda: get(gateway, "/key").json["data"]["usage"] == pytest.approx(31 * COST), 30)
        assert not [line for line in gateway.log if "Traceback" in line or "was never retrieved" in line], "".join(gateway.log)


def test_a_kill_while_the_slower_attempt_is_read_to_its_end_loses_no_answer(mocks: tuple[MockServer, MockServer], tmp_path: Path) -> None:
    """What the client got is recorded and charged once; of the other attempt there is no record, since it was not over."""
    first, _second = mocks
    with Gateway(tmp_path, configuration(mocks, HEDGING, "bills_on")) as gateway:
        make_ready(gateway)
        first.use(Rule(answer=ANSWER, fault=Fault(kind="slow_first", seconds=3600)))
        told = last(ask(gateway))
        assert told["provider"] == "Bolt"
        gateway.kill()
        gateway.start()
        slow, quick = generation(gateway, told["id"])["provider_responses"]
        assert (slow["provider_name"], quick["provider_name"]) == ("Acme", "Bolt")
        assert get(gateway, f"/generation?id={slow['metered_as']}").status == 404
        until(lambda: get(gateway, "/key").json["data"]["usage"] == pytest.approx(21 * COST), 30)


def test_a_reload_and_a_stop_in_the_middle(mocks: tuple[MockServer, MockServer], tmp_path: Path) -> None:
    """Hedging is switched off while an attempt that was given up is still read; the stop then has it recorded as far as it has come."""
    first, _second = mocks
    with Gateway(tmp_path, configuration(mocks, HEDGING, "bills_on")) as gateway:
        make_ready(gateway)
        first.use(Rule(answer=ANSWER, fault=Fault(kind="slow_first", seconds=3600)))
        told = last(ask(gateway))
        gateway.config.write_text(configuration(mocks, "", "bills_on"))
        gateway.signal(1)
        until(lambda: "hedging" not in call(gateway, "GET", "/health").json, 30)
        assert gateway.stop() == 0
        gateway.start()
        slow, _quick = generation(gateway, told["id"])["provider_responses"]
        lost = generation(gateway, slow["metered_as"])
        assert (lost["hedge_of"], lost["total_cost"]) == (told["id"], 0)
        assert lost["upstream_inference_cost"] == pytest.approx(lost["tokens_prompt"] * 1e-06) != 0
        assert get(gateway, "/key").json["data"]["usage"] == pytest.approx(21 * COST)
        assert not [line for line in gateway.log if "Traceback" in line or "was never retrieved" in line], "".join(gateway.log)
