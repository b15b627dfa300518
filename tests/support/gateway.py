"""A real `trunkline serve` as a child process, for tests that look at it from outside."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

API_KEY = "sk-or-v1-" + "a1" * 32
MANAGEMENT_KEY = "sk-or-v1-" + "b2" * 32
_READY = re.compile(r"Trunkline is ready: (\S+)")
START_SECONDS = 90


class Gateway:
    """Runs until the `with` block ends. `url` is the origin, `data_dir` its folder, `log` what it wrote to standard error."""

    def __init__(self, data_dir: Path, config: str = "", *, arguments: tuple[str, ...] = (), environ: dict[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.config = data_dir / "trunkline.toml"
        data_dir.mkdir(parents=True, exist_ok=True)
        self.config.write_text(config)
        self.url = ""
        self.log: list[str] = []
        self._arguments = arguments
        self._environ = {"TRUNKLINE_LOCAL": "off", **(environ or {})}
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Gateway":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, or start again on the same folder, and wait until it answers."""
        command = [
            sys.executable,
            "-m",
            "trunkline",
            "serve",
            "--port",
            "0",
            "--data-dir",
            str(self.data_dir),
            "--config",
            str(self.config),
        ]
        environ = {
            **os.environ,
            "TRUNKLINE_BOOTSTRAP_API_KEY": API_KEY,
            "TRUNKLINE_BOOTSTRAP_MANAGEMENT_KEY": MANAGEMENT_KEY,
            **self._environ,
        }
        self.url = ""
        self._process = subprocess.Popen(
            [*command, *self._arguments], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.data_dir
        )
        threading.Thread(target=self._collect, args=(self._process,), daemon=True).start()
        watchdog = threading.Timer(START_SECONDS, self._process.kill)
        watchdog.start()
        assert self._process.stdout is not None
        for line in self._process.stdout:
            found = _READY.search(line)
            if found is not None:
                self.url = found[1]
                break
        watchdog.cancel()
        if not self.url or self._process.poll() is not None:
            self._process.kill()
            self.wait()
            raise AssertionError(f"the gateway did not start:\n{''.join(self.log)}")

    def _collect(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            self.log.extend(lines)

    def signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def stop(self) -> int:
        """SIGTERM, then the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Wait for the end; returns the exit code."""
        assert self._process is not None
        code = self._process.wait(timeout=90)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code


def provider(url: str, slug: str = "acme", *, price: str = "0.000001", model: str = "acme/echo-1", extra: str = "") -> str:
    """Configuration of one provider at `url` (ending in /v1) with one endpoint for `model`; the caller adds the model once."""
    return f"""
[[providers]]
slug = "{slug}"
name = "{slug.title()}"
dialect = "chat"
base_url = "{url}"
api_key = "secret-of-{slug}"

[[endpoints]]
model = "{model}"
provider = "{slug}"
upstream_model = "echo-1"
pricing = {{ prompt = "{price}", completion = "0.000002" }}
{extra}
"""


MODEL = """
[[models]]
id = "acme/echo-1"
name = "Acme: Echo 1"
context_length = 128000
input_modalities = ["text", "image"]
output_modalities = ["text"]
"""
