"""What the person who started the server reads."""

import subprocess
from pathlib import Path

import msgspec

from trunkline.app import banner

URL = "http://127.0.0.1:8787"


def test_the_command_works_as_it_stands_whatever_the_folder_is_called(tmp_path: Path) -> None:
    key_file = tmp_path / "a b" / "it's $HOME" / "demo-key"
    key_file.parent.mkdir(parents=True)
    key_file.write_text("sk-secret\n")
    script = "curl() { printf '%s\\0' \"$@\"; }\n" + banner.curl_line(URL, key_file)
    words = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout.split("\0")
    assert words[:3] == [f"{URL}/api/v1/chat/completions", "-H", "Authorization: Bearer sk-secret"]
    assert msgspec.json.decode(words[-2])["model"] == banner.EXAMPLE_MODEL


def test_the_secret_is_shown_on_a_terminal_only() -> None:
    assert "It is sk-secret" in banner.demo_lines(URL, Path("/k"), "sk-secret", "")
    assert not any("It is" in line for line in banner.demo_lines(URL, Path("/k"), None, ""))


def test_without_a_local_model_the_lines_say_why_and_offer_no_command() -> None:
    lines = banner.demo_lines(URL, Path("/k"), None, "the engine is not installed")
    assert "The local model is off: the engine is not installed" in lines
    assert not any("curl" in line for line in lines)
    assert banner.site_line(URL).endswith(URL)
