"""What `serve` tells the person who started it."""

import shlex
from pathlib import Path

EXAMPLE_MODEL = "huggingfacetb/smollm2-135m-instruct"


def site_line(url: str) -> str:
    """Where the server answers."""
    return f"Trunkline is ready: {url}"


def curl_line(url: str, key_file: Path, model: str = EXAMPLE_MODEL) -> str:
    """A command that works as it stands."""
    body = f'{{"model": "{model}", "messages": [{{"role": "user", "content": "What is the capital of France?"}}]}}'
    key = f'"Authorization: Bearer $(cat {shlex.quote(str(key_file))})"'
    return f"curl {url}/api/v1/chat/completions -H {key} -H 'Content-Type: application/json' -d '{body}'"


def demo_lines(url: str, key_file: Path, secret: str | None, local_reason: str) -> list[str]:
    """The lines of `make run`. `secret` is given only when the output is a terminal; `local_reason` says why there is no local model, if
    so."""
    lines = [f"The demo key (limit $1 a day) lies in {key_file}"]
    if secret is not None:
        lines.append(f"It is {secret}")
    if local_reason:
        lines += [f"The local model is off: {local_reason}", "Set a provider's key, such as GROQ_API_KEY, to get answers."]
    else:
        lines += ["Try it:", f"  {curl_line(url, key_file)}"]
    return lines
