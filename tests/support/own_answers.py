"""Callers whose words are theirs alone, all at one origin where everything goes wrong: what each of them hears must be its own answer.

The mock echoes. Word `i` of request `n` is `k<n>.<i>`, so that any byte of another's answer shows, wherever it is put.
"""

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from clients import TIMEOUT, Answer, split
from gateway import API_KEY, Gateway
from heard import PATHS
from town import DEAR, PLAIN

from trunkline.mock.script import Fault, Match, Pace, Rule

FAULTS: Final = (
    Fault(kind="hang"),
    Fault(kind="slow_head", seconds=0.3),
    Fault(kind="slow_head", seconds=0.31),
    Fault(kind="slow_head", seconds=0.6),
    Fault(kind="slow_first", seconds=0.3),
    Fault(kind="slow_bytes", size=60, interval_ms=2),
    Fault(kind="status", status=500, body="e" * 200_000),
    Fault(kind="status", status=429),
    Fault(kind="error_event", events=3),
    Fault(kind="garbage_event", events=2),
    Fault(kind="stall", events=2),
    Fault(kind="no_finish"),
    Fault(kind="drop", events=2),
    Fault(kind="drop", events=2, reset=True),
    Fault(kind="cut", after=40),
    Fault(kind="cut", after=500, reset=True),
    Fault(kind="reset"),
    Fault(kind="garbage"),
    Fault(kind="bad_chunk"),
    Fault(kind="wrong_length", size=-30),
    Fault(kind="wrong_length", size=50),
    Fault(kind="until_close"),
    Fault(kind="encoded"),
)
DIALECTS: Final = ("chat", "messages")
SKINS: Final = ("chat", "messages")
_WORD: Final = re.compile(rb"k(\d+)\.(\d+)")
_PATIENCE: Final = "timeouts = { connect = 20, first_content = 0.3, idle = 0.3, content_idle = 0.3, total = 2 }"


def _models() -> Iterator[tuple[str, str, Fault]]:
    for at, fault in enumerate(FAULTS):
        for dialect in DIALECTS:
            yield f"{dialect}{at}", dialect, fault


def rules() -> list[Rule]:
    """What the mock plays: every second call of a first endpoint fails. Only streams stall: after a whole answer that would be a kept
    connection that is dead, and the next request on it would wait in vain."""
    failing = [
        Rule(match=Match(model=name, stream=True if fault.kind == "stall" else None), fault=fault, every=2) for name, _, fault in _models()
    ]
    paced = [Rule(match=Match(model="*[02468]"), pace=Pace(event_ms=0.5, burst=False)), Rule(pace=Pace(head_ms=3))]
    return [*failing, *paced]


def configuration(origin: str) -> str:
    """The gateway's configuration. Endpoints of both kinds: those that let an answer go that nobody waits for, and those that drain it."""
    parts = []
    for slug in (*DIALECTS, "other"):
        dialect = slug if slug in DIALECTS else "chat"
        parts.append(f'[[providers]]\nslug = "{slug}"\nname = "{slug}"\ndialect = "{dialect}"\nbase_url = "{origin}/v1"\napi_key = "s"\n')
    for at, (name, dialect, _) in enumerate(_models()):
        parts.append(f'[[models]]\nid = "m/{name}"\nname = "{name}"\ncontext_length = 1280000\noutput_modalities = ["text"]\n')
        end = f'on_cancel = "{("stops", "bills_on")[at % 2]}"\n{_PATIENCE}\n'
        parts.append(f'[[endpoints]]\nmodel = "m/{name}"\nprovider = "{dialect}"\nupstream_model = "{name}"\npricing = {PLAIN}\n{end}')
        parts.append(f'[[endpoints]]\nmodel = "m/{name}"\nprovider = "other"\nupstream_model = "other-{at}"\npricing = {DEAR}\n')
    return "\n".join(parts)


class Crowd:
    """The callers. `wrong` tells what was heard that was not one's own; `told` counts what became of the requests."""

    def __init__(self, gateway: Gateway, seed: int) -> None:
        self.wrong: list[str] = []
        self.told: Counter[str] = Counter()
        self._gateway = gateway
        self._random = random.Random(seed)
        self._numbers = 0
        self._names = [name for name, _, _ in _models()]
        self._ids: set[str] = set()

    async def run(self, seconds: float, *, sessions: int = 16, pipelines: int = 6) -> None:
        """Ask for so long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session, asyncio.TaskGroup() as group:
            for at in range(sessions + pipelines):
                group.create_task(self._until(end, session if at < sessions else None))

    async def _until(self, end: float, session: aiohttp.ClientSession | None) -> None:
        while asyncio.get_running_loop().time() < end:
            await (self._pipeline() if session is None else self._ask(session))

    def _request(self, skin: str) -> tuple[int, int, bytes]:
        """Its number, how many words it has, and its body."""
        self._numbers += 1
        number, words = self._numbers, self._random.choice((3, 8, 30, 1500))
        said = " ".join(f"k{number}.{at}" for at in range(words))
        name = self._random.choice(self._names)
        fields = {"model": f"m/{name}", "stream": self._random.random() < 0.7, "max_tokens": 9999}
        if self._random.random() < 0.7:
            fields["provider"] = {"only": [name.rstrip("0123456789")]}
        return number, words, json.dumps({**fields, "messages": [{"role": "user", "content": said}]}).encode()

    async def _ask(self, session: aiohttp.ClientSession) -> None:
        """One request on a connection that is kept; every fourth caller leaves."""
        skin = self._random.choice(SKINS)
        number, words, body = self._request(skin)
        patience = self._random.choice((TIMEOUT, TIMEOUT, TIMEOUT, self._random.random() ** 3))
        headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
        received = b""
        try:
            async with asyncio.timeout(patience), session.post(self._gateway.url + PATHS[skin], data=body, headers=headers) as response:
                head = {name.lower(): value for name, value in response.headers.items()}
                async for piece in response.content.iter_any():
                    received += piece
            self._judge(number, words, Answer(response.status, head, received))
        except (TimeoutError, aiohttp.ClientError, ConnectionError) as error:
            self.told[f"no whole answer: {type(error).__name__}"] += 1
            self._own(number, received)

    async def _pipeline(self) -> None:
        """A few requests sent ahead on one connection, whose answers are read at once, late, or only in part."""
        address = urlsplit(self._gateway.url)
        asked, sent = [], b""
        for _ in range(self._random.randint(2, 5)):
            skin = self._random.choice(SKINS)
            number, words, body = self._request(skin)
            asked.append((number, words))
            head = f"POST {PATHS[skin]} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\nContent-Length: {len(body)}\r\n"
            sent += head.encode() + b"Content-Type: application/json\r\n\r\n" + body
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=2**14)
        received = b""
        try:
            writer.write(sent)
            await asyncio.sleep(self._random.choice((0, 0, 0.05, 0.3)))
            leaves = self._random.random() < 0.3
            if not leaves:
                writer.write_eof()
            async with asyncio.timeout(self._random.random() if leaves else TIMEOUT):
                while data := await reader.read(4096):
                    received += data
        except (TimeoutError, ConnectionError) as error:
            self.told[f"pipeline: {type(error).__name__}"] += 1
        finally:
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()
        for (number, words), answer in zip(asked, split(received) if b"\r\n\r\n" in received else [], strict=False):
            if answer.complete:
                self._judge(number, words, answer)
            else:
                self._own(number, answer.body)

    def _judge(self, number: int, words: int, answer: Answer) -> None:
        if answer.id in self._ids:
            self.wrong.append(f"request {number}: the id {answer.id} came before")
        self._ids.add(answer.id)
        heard = self._own(number, answer.body)
        failed = answer.status != 200 or b'"error"' in answer.body
        if not failed and heard != words:
            self.wrong.append(f"request {number}: {heard} of {words} words: {answer.body[:2000]!r}")
        self.told[f"{answer.status}{' with an error' if failed else ''}"] += 1

    def _own(self, number: int, received: bytes) -> int:
        """How many words were heard. All are to be the request's own, in their order."""
        found = [(int(whose), int(at)) for whose, at in _WORD.findall(received)]
        stranger = next((one for one in found if one[0] != number), None)
        if stranger is not None:
            self.wrong.append(f"request {number} heard {stranger}: {received[:2000]!r}")
        elif [at for _, at in found[:-1]] != list(range(len(found) - 1)):  # the last one may have been cut
            self.wrong.append(f"request {number} heard its words in another order: {found[:50]}")
        return len(found)
