"""The inference operations around the pipeline: bodies in, errors out."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
import pytest

from trunkline.api import inference as module
from trunkline.api.inference import InferenceRoute
from trunkline.errors import ApiError, StorageUnavailable
from trunkline.inference.call import Call
from trunkline.inference.pipeline import Pipeline
from trunkline.inference.reply import Reply
from trunkline.inference.skins import CHAT, TEXT

Run = Callable[[Call, Reply], Awaitable[None]]
Message = dict[str, Any]


class Pipe:
    """A pipeline of one function."""

    def __init__(self, run: Run) -> None:
        self.run = run


def serve(run: Run, messages: list[Message | None], headers: list[tuple[bytes, bytes]] | None = None) -> list[Message]:
    """What the route sends for these ASGI messages; None = nothing comes any more."""
    sent: list[Message] = []

    async def receive() -> Message:
        message = messages.pop(0)
        if message is None:
            await asyncio.Event().wait()
        return cast(Message, message)

    async def send(message: Message) -> None:
        sent.append(message)

    route = InferenceRoute(cast(Pipeline, Pipe(run)), CHAT)
    asyncio.run(route({"headers": headers or []}, receive, cast(Any, send)))
    return sent


def piece(body: bytes, *, more: bool = False) -> Message:
    """A body message."""
    return {"type": "http.request", "body": body, "more_body": more}


async def echo(call: Call, reply: Reply) -> None:
    """Answers with the body."""
    await reply.whole(200, call.body)


def raising(error: Exception) -> Run:
    """A pipeline that fails."""

    async def run(_call: Call, _reply: Reply) -> None:
        raise error

    return run


def test_a_body_in_one_or_more_pieces_is_the_calls() -> None:
    for messages in ([piece(b"abc")], [piece(b"a", more=True), piece(b"", more=True), piece(b"bc")]):
        sent = serve(echo, list(messages))
        assert sent[0]["status"] == 200 and sent[1]["body"] == b"abc"
        names = [name for name, _ in sent[0]["headers"]]
        assert b"x-generation-id" in names and b"access-control-allow-origin" in names


@pytest.mark.parametrize(
    ("error", "status", "error_type"),
    [
        (ApiError("payment_required", "no credit", headers=[("retry-after", "7")]), 402, "payment_required"),
        (StorageUnavailable("away"), 503, "provider_overloaded"),
        (RuntimeError("a bug"), 500, "server"),
    ],
)
def test_errors_are_told_in_the_callers_envelope(error: Exception, status: int, error_type: str) -> None:
    sent = serve(raising(error), [piece(b"")])
    told = msgspec.json.decode(sent[1]["body"])["error"]
    assert (sent[0]["status"], told["code"], told["metadata"]["error_type"]) == (status, status, error_type)
    assert "a bug" not in told["message"]
    assert ((b"retry-after", b"7") in sent[0]["headers"]) is (status == 402)


def test_an_error_after_the_head_breaks_the_answer_off() -> None:
    async def run(_call: Call, reply: Reply) -> None:
        await reply.write(b"one")
        raise RuntimeError("late")

    with pytest.raises(RuntimeError, match="late"):
        serve(run, [piece(b"")])


def refused(messages: list[Message | None], headers: list[tuple[bytes, bytes]] | None = None) -> int:
    """The status of a refusal, which ends the connection and never reaches the pipeline."""
    sent = serve(raising(AssertionError("reached")), messages, headers)
    assert (b"connection", b"close") in sent[0]["headers"]
    return int(sent[0]["status"])


def test_too_large_a_body_is_refused_unread_or_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused([], [(b"content-length", b"%d" % (module.MAX_BODY_BYTES + 1))]) == 413
    monkeypatch.setattr(module, "MAX_BODY_BYTES", 3)
    assert refused([piece(b"ab", more=True), piece(b"cd", more=True)]) == 413
    assert serve(echo, [piece(b"ab", more=True), piece(b"c")])[0]["status"] == 200


@pytest.mark.parametrize("messages", [[None], [piece(b"a", more=True), None]])
def test_a_slow_sender_is_refused(messages: list[Message | None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BODY_SECONDS", 0.01)
    assert refused(list(messages)) == 408


def test_a_sender_that_leaves_ends_the_wait() -> None:
    assert refused([piece(b"a", more=True), {"type": "http.disconnect"}]) == 408


def test_refusals_keep_nothing_of_the_requests_they_refused() -> None:
    refused([], [(b"content-length", b"99999999999")])
    gc.collect()
    assert module.TOO_LARGE.__traceback__ is None and module.TOO_SLOW.__traceback__ is None


def test_the_skin_goes_with_the_call() -> None:
    pipeline = cast(Pipeline, Pipe(echo))
    assert InferenceRoute(pipeline, TEXT).accept({}, b"").skin is TEXT


@pytest.mark.parametrize(("length", "too_much"), [(b"67108864", False), (b"67108865", True), (b"x", False), (b"-1", False)])
def test_what_is_announced_is_believed_only_as_a_number(length: bytes, too_much: bool) -> None:
    assert module.announces_too_much({b"content-length": length}) is too_much
    assert not module.announces_too_much({})
