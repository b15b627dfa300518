"""Claude Code, unchanged: one turn with a tool call over models that are served in every upstream dialect."""

import json
import subprocess
from typing import Any

import pytest
from agents import ASKED, NOTE, TOLD, Place, rules
from gateway import API_KEY, Gateway
from polyglot import DIALECTS, brings_back, name_of

from trunkline.mock.thread import MockServer

pytestmark = pytest.mark.long
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
}
BASH = rules("Bash", {"command": "cat note.txt", "description": "Read the note"})


def claude(place: Place, speaker: Gateway, dialect: str, **key: str) -> subprocess.CompletedProcess[str]:
    return place.run(
        "@anthropic-ai/claude-code/cli-wrapper.cjs",
        *("--model", name_of(dialect), "--print", ASKED, "--allowedTools", "Bash", "--output-format", "json"),
        ANTHROPIC_BASE_URL=f"{speaker.url}/api",
        **QUIET,
        **key,
    )


def outcome(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The JSON object on standard output, with a message about the model before it or after it."""
    start = done.stdout.index('{"')
    return json.JSONDecoder().raw_decode(done.stdout[start:])[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_turn_with_a_tool_call(place: Place, speaker: Gateway, upstream: MockServer, dialect: str) -> None:
    upstream.use(*BASH)
    done = claude(place, speaker, dialect, ANTHROPIC_AUTH_TOKEN=API_KEY)
    told = outcome(done)
    assert (done.returncode, told["result"], told["is_error"], told["num_turns"]) == (0, TOLD, False, 2)
    last = upstream.seen()[-1]
    body = bytes(last.body)  # type: ignore[arg-type]  # JSON
    assert last.dialect == dialect
    assert NOTE.encode() in body
    assert brings_back(body, dialect)
    betas = last.header("anthropic-beta")
    assert ("context-management-2025-06-27" in (betas or "").split(",")) == (dialect == "messages")


def test_the_key_of_an_api(place: Place, speaker: Gateway, upstream: MockServer) -> None:
    upstream.use(*BASH)
    assert outcome(claude(place, speaker, "chat", ANTHROPIC_API_KEY=API_KEY))["result"] == TOLD


@pytest.mark.parametrize("name", ["ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"])
def test_a_bad_key_ends_the_turn_at_once(place: Place, speaker: Gateway, upstream: MockServer, name: str) -> None:
    done = claude(place, speaker, "chat", **{name: f"sk-or-v1-{'0' * 64}"})
    told = outcome(done)
    assert (done.returncode, told["is_error"], told["api_error_status"], told["num_turns"]) == (1, True, 401, 1)
    assert not upstream.seen()
