import http.client
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

SCRIPT = """
[[rules]]
answer = { text = "scripted" }
[[fleet]]
name = "beside"
[[fleet.rules]]
answer = { text = "another" }
"""


def answer(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/v1/chat/completions", b'{"model": "m", "messages": [{"role": "user", "content": "a b"}]}')
    body = msgspec.json.decode(connection.getresponse().read())
    connection.close()
    return str(body["choices"][0]["message"]["content"])


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_command_serves_a_script_and_its_fleet_until_it_is_told_to_stop(tmp_path: Path) -> None:
    script = tmp_path / "script.toml"
    script.write_text(SCRIPT)
    code = f"import pathlib, trunkline.mock.server as s; s.main('127.0.0.1', 0, pathlib.Path({str(script)!r}))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": "src"}
    ) as process:
        assert process.stdout is not None
        main, beside = process.stdout.readline(), process.stdout.readline()
        assert beside.startswith("beside: ")
        assert [answer(int(line.split("127.0.0.1:")[1].split("/")[0])) for line in (main, beside)] == ["scripted", "another"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
