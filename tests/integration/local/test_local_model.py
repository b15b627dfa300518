"""The real engine with the real weights, through the supervisor, as the gateway uses it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from trunkline.errors import UpstreamRefused
from trunkline.local import launch, presence, weights
from trunkline.local.supervisor import LocalModel

FOUND = presence.installed(weights.default_directory(os.environ))
pytestmark = [
    pytest.mark.local_model,
    pytest.mark.skipif(not FOUND.complete and os.environ.get("CI") != "true", reason=FOUND.reason),
]
QUESTION = [{"role": "user", "content": "What is the capital of France? Answer with one word."}]
GREEDY = {"messages": QUESTION, "temperature": 0, "max_tokens": 24}


class Running:
    """A supervised model on an event loop of its own, asked one thing after another."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        file = weights.default_directory(os.environ) / weights.FILE_NAME
        self.model = LocalModel(file, folder=folder, port=None, api_key=launch.new_api_key(), environ=os.environ)

    def ready(self) -> float:
        """Waits for the model; returns the seconds it took."""
        started = time.monotonic()
        self.runner.run(self.model.ready())
        return time.monotonic() - started

    def post(self, **body: object) -> tuple[int, bytes]:
        """Posts a chat completion; returns status and body."""

        async def send() -> tuple[int, bytes]:
            headers = {"Authorization": f"Bearer {self.model.api_key}"}
            url = f"{self.model.base_url}/chat/completions"
            async with aiohttp.ClientSession(headers=headers) as session, session.post(url, json=body) as response:
                return response.status, await response.read()

        return self.runner.run(send())

    def chat(self, **body: object) -> dict:
        """Posts a chat completion that must work; returns the decoded reply."""
        status, raw = self.post(**body)
        assert status == 200, raw
        return msgspec.json.decode(raw)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One model for all tests of this file."""
    assert FOUND.complete, FOUND.reason
    running = Running(tmp_path_factory.mktemp("data") / "local")
    running.ready()
    yield running
    running.runner.run(running.model.stop())
    running.runner.close()


def text(reply: dict) -> str:
    """The reply's text."""
    return reply["choices"][0]["message"]["content"]


def test_it_knows_the_capital_of_france_and_counts_its_tokens(running: Running) -> None:
    reply = running.chat(**GREEDY)
    assert "Paris" in text(reply)
    assert reply["model"] == launch.MODEL_ALIAS
    usage = reply["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] and usage["completion_tokens"] > 0


@pytest.mark.parametrize(
    ("question", "answer"),
    [("What is the capital of France?", "Paris"), ("What is the capital of Germany?", "Berlin"), ("Hi", "Hello")],
)
def test_a_newcomers_first_question_gets_a_sensible_answer(running: Running, question: str, answer: str) -> None:
    reply = running.chat(messages=[{"role": "user", "content": question}], max_tokens=30)
    assert answer in text(reply)
    assert text(reply) == text(running.chat(messages=[{"role": "user", "content": question}], max_tokens=30))


def test_content_in_parts_is_read(running: Running) -> None:
    parts = [{"type": "text", "text": "What is the capital"}, {"type": "text", "text": " of France?"}]
    assert "Paris" in text(running.chat(messages=[{"role": "user", "content": parts}], max_tokens=30))


def test_a_stream_says_the_same_as_the_whole_reply(running: Running) -> None:
    whole = text(running.chat(**GREEDY))
    status, raw = running.post(**GREEDY, stream=True, stream_options={"include_usage": True})
    payloads = [line.removeprefix(b"data: ") for line in raw.split(b"\n") if line.startswith(b"data: ")]
    assert status == 200 and payloads[-1] == b"[DONE]"
    events = [msgspec.json.decode(payload) for payload in payloads[:-1]]
    said = "".join(choice["delta"].get("content") or "" for event in events for choice in event["choices"])
    assert said == whole
    assert events[-1]["usage"]["completion_tokens"] > 0


def test_a_json_schema_is_enforced_by_grammar(running: Running) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}, "rank": {"type": "integer", "minimum": 1, "maximum": 9}},
        "required": ["city", "rank"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": schema}}
    reply = running.chat(messages=QUESTION, temperature=0, max_tokens=64, response_format=wanted)
    found = msgspec.json.decode(text(reply))
    assert set(found) == {"city", "rank"} and 1 <= found["rank"] <= 9


def test_max_tokens_is_obeyed_and_reported(running: Running) -> None:
    reply = running.chat(**{**GREEDY, "messages": [{"role": "user", "content": "Count from one to a hundred."}], "max_tokens": 5})
    assert reply["usage"]["completion_tokens"] == 5
    assert reply["choices"][0]["finish_reason"] == "length"


def test_a_stop_word_ends_the_reply(running: Running) -> None:
    whole = text(running.chat(**GREEDY))
    word = next(word for word in whole.split() if whole.index(word) > 0)
    reply = running.chat(**GREEDY, stop=[word])
    assert text(reply).strip() == whole[: whole.index(word)].strip()
    assert reply["choices"][0]["finish_reason"] == "stop"


def test_a_seed_gives_the_same_text_again(running: Running) -> None:
    sampled = {**GREEDY, "temperature": 1.0, "seed": 7, "cache_prompt": False}
    assert text(running.chat(**sampled)) == text(running.chat(**sampled))
    assert text(running.chat(**GREEDY)) == text(running.chat(**GREEDY))


def test_a_key_is_required(running: Running) -> None:
    async def ask() -> int:
        async with aiohttp.ClientSession() as session, session.post(f"{running.model.base_url}/chat/completions", json=GREEDY) as response:
            return response.status

    assert running.runner.run(ask()) == 401


def test_a_crash_is_mended_by_the_next_request(running: Running) -> None:
    before = running.model.status()
    os.kill(before.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while running.model.status().pid and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running.model.status().phase == "crashed"
    running.ready()
    after = running.model.status()
    assert after.pid != before.pid and after.restarts == before.restarts + 1
    assert "Paris" in text(running.chat(**GREEDY))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_orphan_is_left_when_the_gateway_is_killed(running: Running, tmp_path: Path, number: signal.Signals) -> None:
    code = f"""
import asyncio, os, time
from pathlib import Path
from trunkline.local import weights
from trunkline.local.supervisor import LocalModel
file = weights.default_directory(os.environ) / weights.FILE_NAME
model = LocalModel(file, folder=Path({str(tmp_path)!r}), port=None, api_key="k", environ=os.environ)
with asyncio.Runner() as runner:
    runner.run(model.ready())
    print(model.status().pid, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen((sys.executable, "-c", code), stdout=subprocess.PIPE, text=True) as gateway:
        assert gateway.stdout is not None
        child = Path(f"/proc/{int(gateway.stdout.readline())}")
        assert child.exists()
        gateway.send_signal(number)
        gateway.wait()
    deadline = time.monotonic() + 30
    while child.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not child.exists()


def test_a_child_that_cannot_load_its_weights_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF but not really")

    async def main() -> str:
        model = LocalModel(broken, folder=tmp_path / "local", port=None, api_key="k", environ=os.environ, start_timeout=60)
        try:
            await model.ready()
        except UpstreamRefused as error:
            return str(error)
        finally:
            await model.stop()
        return "it came up"

    assert "restarting after a crash" in asyncio.run(main())
