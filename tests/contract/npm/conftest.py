"""One Node process for each SDK plays all cases over all upstream dialects; the tests read what it printed."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gateway import API_KEY, Gateway
from msgspec import Struct
from node import node
from polyglot import DIALECTS, LOOP, brings_back

from trunkline.mock.script import Answer, Fault, Match, Pace, Rule, Tokens
from trunkline.mock.thread import MockServer

HERE = Path(__file__).parent
MARK = re.compile(rb"#(\w+)")
PATIENCE = 240
"""Seconds for one SDK's cases; they take three on an idle machine."""

RULES = (
    *(Rule(match=Match(contains=f"refuse {status}"), fault=Fault(kind="status", status=status)) for status in (400, 429, 500)),
    Rule(match=Match(contains="break off"), answer=Answer(events=5), pace=Pace(event_ms=20), fault=Fault(kind="drop", events=2)),
    Rule(match=Match(contains="stop short"), answer=Answer(text="It is", finish_reason="length")),
    Rule(match=Match(contains="say fine"), answer=Answer(text="Fine.", tokens=Tokens(prompt=100, completion=20, cached=30))),
    *(Rule(match=Match(contains="How is the weather", results=False), answer=rule.answer) for rule in LOOP[:1]),
    *LOOP[1:],
)
"""The upstream's part: the words of the last message say what it does, and with the result of a tool it answers. Else it echoes."""


class Played(Struct):
    """What a script printed, by dialect and case; and of the loops, which are marked `#name` in the question, those whose second request
    brought the reasoning back, by dialect; and the experiments that upstreams heard of, by dialect."""

    results: dict[str, dict[str, Any]]
    replayed: dict[str, set[str]]
    betas: dict[str, set[str]]


Play = Callable[[str], Played]


@pytest.fixture(scope="session")
def play(speaker: Gateway, mock: MockServer) -> Play:
    """Runs a script of this folder."""
    program = node(HERE)

    def played(script: str) -> Played:
        mock.use(*RULES)
        mock.reset()
        done = subprocess.run([program, HERE / script], env=environment(speaker), capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        return Played(json.loads(done.stdout), replays(mock), experiments(mock))

    return played


def replays(mock: MockServer) -> dict[str, set[str]]:
    """The marks of the conversations in which a request with the tool's result holds the reasoning too, by dialect."""
    found: dict[str, set[str]] = {dialect: set() for dialect in DIALECTS}
    for seen in mock.seen():
        body = bytes(seen.body) if isinstance(seen.body, msgspec.Raw) else b""
        if b"sunny" in body and brings_back(body, seen.dialect):
            found[seen.dialect] |= {mark.decode() for mark in MARK.findall(body)}
    return found


def experiments(mock: MockServer) -> dict[str, set[str]]:
    """What stood in `anthropic-beta` of the upstream requests, by dialect."""
    found: dict[str, set[str]] = {dialect: set() for dialect in DIALECTS}
    for seen in mock.seen():
        if seen.dialect in found:
            found[seen.dialect] |= {*(seen.header("anthropic-beta") or "").split(",")} - {""}
    return found


def environment(speaker: Gateway) -> dict[str, str]:
    """What the script is told, and how the SDKs find the gateway by themselves."""
    return {
        "PATH": os.environ["PATH"],
        "DIALECTS": " ".join(DIALECTS),
        "GATEWAY_ORIGIN": speaker.url,
        "GATEWAY_KEY": API_KEY,
        "OPENAI_BASE_URL": f"{speaker.url}/api/v1",
        "OPENAI_API_KEY": API_KEY,
        "ANTHROPIC_BASE_URL": f"{speaker.url}/api",
        "ANTHROPIC_API_KEY": API_KEY,
        "OPENROUTER_BASE_URL": f"{speaker.url}/api/v1",
        "OPENROUTER_API_KEY": API_KEY,
    }
