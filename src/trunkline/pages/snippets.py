"""Code that calls a model as it stands, in the languages people ask for.

Every snippet takes the key from `TRUNKLINE_API_KEY`, and the address and the model from the caller. The variable is not OpenRouter's, so
that nobody sends the key of one to the other.
"""

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from msgspec import Struct

KEY_VARIABLE = "TRUNKLINE_API_KEY"
_QUESTION = "What is the meaning of life?"


class Snippet(Struct, frozen=True):
    """One language's way. `slug` names it in the page, `install` is what must be there first (empty = nothing)."""

    slug: str
    label: str
    install: str
    first: str
    streaming: str


def snippets_of(origin: str, model: str) -> tuple[Snippet, ...]:
    """All languages, for a server at `origin` and a model's id."""
    return tuple(
        Snippet(slug, label, install, first(origin, model), streaming(origin, model)) for slug, label, install, first, streaming in _TABLE
    )


def is_local(origin: str) -> bool:
    """Whether a server at `origin` is on the reader's own machine, where the demo key lies."""
    host = urlsplit(origin).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def key_step(origin: str) -> str:
    """The shell command that makes the key known. On the own machine it reads the demo key of a server that `make run` started."""
    value = "$(cat ~/.trunkline/demo-key)" if is_local(origin) else "sk-or-v1-…"
    return f'export {KEY_VARIABLE}="{value}"'


def curl(origin: str, model: str) -> str:
    """One request with curl."""
    return f"""\
curl {origin}/api/v1/chat/completions \\
  -H "Authorization: Bearer ${KEY_VARIABLE}" \\
  -H "Content-Type: application/json" \\
  -d '{{
    "model": "{model}",
    "messages": [{{"role": "user", "content": "{_QUESTION}"}}]
  }}'"""


def _curl_streaming(origin: str, model: str) -> str:
    return f"""\
curl -N {origin}/api/v1/chat/completions \\
  -H "Authorization: Bearer ${KEY_VARIABLE}" \\
  -H "Content-Type: application/json" \\
  -d '{{
    "model": "{model}",
    "messages": [{{"role": "user", "content": "{_QUESTION}"}}],
    "stream": true
  }}'"""


def _openrouter(origin: str, model: str) -> str:
    return f"""\
import os
from openrouter import OpenRouter

with OpenRouter(
    api_key=os.environ["{KEY_VARIABLE}"],
    server_url="{origin}/api/v1",
) as client:
    answer = client.chat.send(
        model="{model}",
        messages=[{{"role": "user", "content": "{_QUESTION}"}}],
    )
    print(answer.choices[0].message.content)"""


def _openrouter_streaming(origin: str, model: str) -> str:
    return f"""\
import os
from openrouter import OpenRouter

with OpenRouter(
    api_key=os.environ["{KEY_VARIABLE}"],
    server_url="{origin}/api/v1",
) as client:
    stream = client.chat.send(
        model="{model}",
        messages=[{{"role": "user", "content": "{_QUESTION}"}}],
        stream=True,
    )
    for chunk in stream:
        if chunk.choices:
            print(chunk.choices[0].delta.content or "", end="", flush=True)"""


def _openai_python(origin: str, model: str) -> str:
    return f"""\
import os
from openai import OpenAI

client = OpenAI(
    api_key=os.environ["{KEY_VARIABLE}"],
    base_url="{origin}/api/v1",
)
answer = client.chat.completions.create(
    model="{model}",
    messages=[{{"role": "user", "content": "{_QUESTION}"}}],
)
print(answer.choices[0].message.content)"""


def _openai_python_streaming(origin: str, model: str) -> str:
    return f"""\
import os
from openai import OpenAI

client = OpenAI(
    api_key=os.environ["{KEY_VARIABLE}"],
    base_url="{origin}/api/v1",
)
stream = client.chat.completions.create(
    model="{model}",
    messages=[{{"role": "user", "content": "{_QUESTION}"}}],
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)"""


def _openai_typescript(origin: str, model: str) -> str:
    return f"""\
import OpenAI from "openai";

const client = new OpenAI({{
  apiKey: process.env.{KEY_VARIABLE},
  baseURL: "{origin}/api/v1",
}});
const answer = await client.chat.completions.create({{
  model: "{model}",
  messages: [{{ role: "user", content: "{_QUESTION}" }}],
}});
console.log(answer.choices[0].message.content);"""


def _openai_typescript_streaming(origin: str, model: str) -> str:
    return f"""\
import OpenAI from "openai";

const client = new OpenAI({{
  apiKey: process.env.{KEY_VARIABLE},
  baseURL: "{origin}/api/v1",
}});
const stream = await client.chat.completions.create({{
  model: "{model}",
  messages: [{{ role: "user", content: "{_QUESTION}" }}],
  stream: true,
}});
for await (const chunk of stream) {{
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}}"""


def _requests(origin: str, model: str) -> str:
    return f"""\
import os
import requests

response = requests.post(
    "{origin}/api/v1/chat/completions",
    headers={{"Authorization": f"Bearer {{os.environ['{KEY_VARIABLE}']}}"}},
    json={{
        "model": "{model}",
        "messages": [{{"role": "user", "content": "{_QUESTION}"}}],
    }},
)
response.raise_for_status()
print(response.json()["choices"][0]["message"]["content"])"""


def _requests_streaming(origin: str, model: str) -> str:
    return f"""\
import json
import os
import requests

with requests.post(
    "{origin}/api/v1/chat/completions",
    headers={{"Authorization": f"Bearer {{os.environ['{KEY_VARIABLE}']}}"}},
    json={{
        "model": "{model}",
        "messages": [{{"role": "user", "content": "{_QUESTION}"}}],
        "stream": True,
    }},
    stream=True,
) as response:
    response.raise_for_status()
    for line in response.iter_lines():
        if not line.startswith(b"data: ") or line == b"data: [DONE]":
            continue
        for choice in json.loads(line[6:])["choices"]:
            print(choice["delta"].get("content") or "", end="", flush=True)"""


def _fetch(origin: str, model: str) -> str:
    return f"""\
const response = await fetch("{origin}/api/v1/chat/completions", {{
  method: "POST",
  headers: {{
    Authorization: `Bearer ${{process.env.{KEY_VARIABLE}}}`,
    "Content-Type": "application/json",
  }},
  body: JSON.stringify({{
    model: "{model}",
    messages: [{{ role: "user", content: "{_QUESTION}" }}],
  }}),
}});
if (!response.ok) throw new Error(await response.text());
const answer = await response.json();
console.log(answer.choices[0].message.content);"""


def _fetch_streaming(origin: str, model: str) -> str:
    return f"""\
const response = await fetch("{origin}/api/v1/chat/completions", {{
  method: "POST",
  headers: {{
    Authorization: `Bearer ${{process.env.{KEY_VARIABLE}}}`,
    "Content-Type": "application/json",
  }},
  body: JSON.stringify({{
    model: "{model}",
    messages: [{{ role: "user", content: "{_QUESTION}" }}],
    stream: true,
  }}),
}});
if (!response.ok) throw new Error(await response.text());
let rest = "";
for await (const text of response.body.pipeThrough(new TextDecoderStream())) {{
  const lines = (rest + text).split("\\n");
  rest = lines.pop();
  for (const line of lines) {{
    if (!line.startsWith("data: ") || line.startsWith("data: [DONE]")) continue;
    process.stdout.write(JSON.parse(line.slice(6)).choices[0]?.delta?.content ?? "");
  }}
}}"""


_Write = Callable[[str, str], str]
_TABLE: tuple[tuple[str, str, str, _Write, _Write], ...] = (
    ("curl", "curl", "", curl, _curl_streaming),
    ("openrouter", "OpenRouter SDK", "pip install openrouter", _openrouter, _openrouter_streaming),
    ("openai-python", "OpenAI SDK, Python", "pip install openai", _openai_python, _openai_python_streaming),
    ("openai-typescript", "OpenAI SDK, TypeScript", "npm install openai", _openai_typescript, _openai_typescript_streaming),
    ("requests", "Python requests", "pip install requests", _requests, _requests_streaming),
    ("fetch", "fetch", "", _fetch, _fetch_streaming),
)
