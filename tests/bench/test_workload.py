import msgspec
import pytest
from bench.workload import WORKLOADS, WrongAnswer

from bench import workload


@pytest.mark.parametrize("kind", WORKLOADS)
def test_bodies_have_the_size_that_the_method_tells(kind: workload.Kind) -> None:
    body = workload.request_body(WORKLOADS[kind])
    assert len(body) == (1150 if WORKLOADS[kind].turn else 630) or WORKLOADS[kind].operation == "messages"
    assert msgspec.json.decode(body)["model"] == f"bench/{kind}"
    request = workload.request(host="127.0.0.1:1", path="/v1", headers=workload.request_headers("k" * 70), body=body)
    assert request.endswith(b"\r\n\r\n" + body)
    assert 500 < len(request) - len(body) < 700


def test_answers_have_the_size_that_the_method_tells() -> None:
    assert len(workload.reply()) == 655
    assert 15_500 < len(workload.stream()) < 16_000
    assert workload.stream().count(b"data: ") == 52


def test_what_the_upstream_says_passes_the_check() -> None:
    workload.check(WORKLOADS["plain"], 200, workload.reply())
    workload.check(WORKLOADS["burst"], 200, b": a comment\n\n" + workload.stream())
    rest = workload.stream().partition(b"\n\n")[2]
    workload.check(WORKLOADS["burst"], 200, rest, events=51)
    with pytest.raises(WrongAnswer, match="51 events"):
        workload.check(WORKLOADS["burst"], 200, rest)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"x"),
        (200, workload.stream().removesuffix(b"data: [DONE]\n\n")),
        (200, workload.stream().replace(b"w7 ", b"w8 ")),
        (200, workload.stream() + b"data: [DONE]\n\n"),
    ],
)
def test_a_changed_answer_does_not(status: int, body: bytes) -> None:
    with pytest.raises(WrongAnswer):
        workload.check(WORKLOADS["burst"], status, body)
