"""Codex, unchanged: one turn with a tool call over models that are served in every upstream dialect."""

import json
import subprocess
from typing import Any

import pytest
from agents import ASKED, NOTE, TOLD, Place, rules
from gateway import API_KEY, Gateway
from polyglot import DIALECTS, brings_back, name_of

from trunkline.mock.thread import MockServer

pytestmark = pytest.mark.long
CONFIG = """
model = "{model}"
model_provider = "trunkline"
check_for_update_on_startup = false

[features]
plugins = false
apps = false

[analytics]
enabled = false

[model_providers.trunkline]
name = "Trunkline"
base_url = "{url}/api/v1"
env_key = "TRUNKLINE_KEY"
wire_api = "responses"
"""


def codex(place: Place, speaker: Gateway, dialect: str, key: str) -> subprocess.CompletedProcess[str]:
    folder = place.home / ".codex"
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG.format(model=name_of(dialect), url=speaker.url))
    arguments = ("exec", "--skip-git-repo-check", "--sandbox", "danger-full-access", "--json", ASKED)
    return place.run("@openai/codex/bin/codex.js", *arguments, TRUNKLINE_KEY=key)


def events(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_turn_with_a_tool_call(place: Place, speaker: Gateway, upstream: MockServer, dialect: str) -> None:
    upstream.use(*rules("exec_command", {"cmd": "cat note.txt"}))
    done = codex(place, speaker, dialect, API_KEY)
    items = [event["item"] for event in events(done) if event["type"] == "item.completed"]
    [command] = [item for item in items if item["type"] == "command_execution"]
    assert (done.returncode, command["exit_code"], command["aggregated_output"]) == (0, 0, f"{NOTE}\n")
    assert (items[-1]["type"], items[-1]["text"]) == ("agent_message", TOLD)
    first, last = upstream.seen()
    assert first.dialect == last.dialect == dialect
    body = bytes(last.body)  # type: ignore[arg-type]  # JSON
    assert NOTE.encode() in body
    assert brings_back(body, dialect)


def test_a_bad_key_ends_the_turn(place: Place, speaker: Gateway, upstream: MockServer) -> None:
    done = codex(place, speaker, "chat", f"sk-or-v1-{'0' * 64}")
    assert (done.returncode, events(done)[-1]["type"]) == (1, "turn.failed")
    assert "401" in events(done)[-1]["error"]["message"]
    assert not upstream.seen()
