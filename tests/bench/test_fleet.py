import json
import random

import pytest
from bench.fleet import Answered, Pass, deaths, judge_stream, judge_whole, report, request, returns
from bench.market import TEXT, TROUBLES, Outage, Plan

from trunkline.mock.seen import Seen

DEAD = next(one for one in TROUBLES if one.dead)


def stream(*texts: str, finish: str | None = "stop", error: str = "", done: bool = True) -> bytes:
    chunks: list[dict[str, object]] = [{"choices": [{"delta": {"content": text}, "finish_reason": None}]} for text in texts]
    end = {"choices": [{"delta": {}, "finish_reason": finish}]}
    chunks.append(end | ({"error": {"message": error}} if error else {}))
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks) + (b"data: [DONE]\n\n" if done else b"")


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (stream(TEXT), "whole"),
        (stream("w0 ", finish="error", error="cut"), "cut"),
        (stream(finish="error", error="nobody"), "refused"),
        (stream("w0 "), "dishonest"),
        (stream(TEXT, done=False), "dishonest"),
        (stream(TEXT, TEXT), "dishonest"),
        (stream("w1 ", finish="error", error="cut"), "dishonest"),
        (stream("w0 ", finish="stop", error="cut"), "dishonest"),
        (b"", "dishonest"),
    ],
)
def test_streams_are_judged(body: bytes, outcome: str) -> None:
    assert judge_stream(body)[0] == outcome


def test_whole_answers_are_judged() -> None:
    assert judge_whole(json.dumps({"choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}]}).encode())[0] == "whole"
    assert judge_whole(json.dumps({"choices": [{"message": {"content": "w0 "}, "finish_reason": "stop"}]}).encode())[0] == "dishonest"


def test_only_fixed_requests_name_an_endpoint() -> None:
    assert "provider" not in request("routed", random.Random(1))
    assert len(request("fixed", random.Random(1))["provider"]["only"]) == 1  # type: ignore[index]


def call(at: float, fault: str = "") -> tuple[float, Seen]:
    return at, Seen(number=1, at=at, method="POST", path="/", headers=[], body="", fault=fault)


def test_the_figures_of_a_pass() -> None:
    seen = {"house00": [call(9), call(10.5, "reset"), call(12, "reset"), call(29, "reset"), call(55), call(60)]}
    answers = [Answered("whole", 0.1)] * 8 + [Answered("cut", 0.1, "cut"), Answered("refused", 0.1, "502: no")]
    done = Pass("routed", answers, seen)
    events = [Outage("house00", DEAD, 10.0, 30.0)]
    assert done.success == pytest.approx(8 / 9)
    assert [(one.calls, one.seconds) for one in deaths(done, events)] == [(3, 1.5)]
    assert returns(done, events, 100) == [25.0]


def test_the_report_tells_why_routed_requests_failed() -> None:
    empty = {f"house{number:02}": [] for number in range(30)}
    text = report([Pass("routed", [Answered("whole", 0.1), Answered("refused", 0.1, "502: no")], empty)], Plan())
    assert "| routed | 2 | 50.00% | 1 | 0, all told by an error |" in text
    assert "- 1 x 502: no" in text
