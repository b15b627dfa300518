"""The code that the API tab shows does what it says: it is taken from the page and run against the server that served it."""

import html
import os
import re
import shutil
import subprocess
import sys
import urllib.request

import pytest
from gateway import API_KEY, Gateway

PRE = re.compile(r'data-language="([\w-]+)">.*?<pre[^>]*><code>(.*?)</code></pre>', re.DOTALL)
COMMANDS = {
    "curl": ["bash", "-ec"],
    "openrouter": [sys.executable, "-c"],
    "openai-python": [sys.executable, "-c"],
    "fetch": ["node", "--input-type=module", "-e"],
}


def read(url: str) -> str:
    with urllib.request.urlopen(url) as response:
        return response.read().decode()


def run(language: str, code: str) -> str:
    """What the code prints."""
    if shutil.which(COMMANDS[language][0]) is None:
        pytest.skip(f"{COMMANDS[language][0]} is not installed")
    done = subprocess.run(
        [*COMMANDS[language], code], env={**os.environ, "TRUNKLINE_API_KEY": API_KEY}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def samples(gateway: Gateway) -> dict[str, list[str]]:
    """The first request and the streaming one of each language."""
    found: dict[str, list[str]] = {}
    for language, code in PRE.findall(read(f"{gateway.url}/acme/echo-1/api")):
        found.setdefault(language, []).append(html.unescape(code))
    return found


@pytest.mark.parametrize("language", COMMANDS)
def test_both_steps_answer(samples: dict[str, list[str]], language: str) -> None:
    first, streaming = samples[language]
    assert "meaning of life" in run(language, first)
    streamed = run(language, streaming)
    assert "data: [DONE]" in streamed if language == "curl" else "life" in streamed


def test_the_first_pages_curl_answers(gateway: Gateway) -> None:
    shown = re.findall(r"<pre[^>]*><code>(curl .*?)</code></pre>", read(gateway.url), re.DOTALL)
    assert '"acme/echo-1"' in html.unescape(shown[0])
    assert "meaning of life" in run("curl", html.unescape(shown[0]))
