"""Runs cases of the fault matrix against a real gateway, many at once, and judges each by what its client heard and what was recorded."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import aiohttp
from clients import TIMEOUT, get, until
from fault_cases import FIRST_COST, OTHER_TEXT, SECOND_COST, TEXT, WORDS, Case, configuration, script
from gateway import API_KEY, Gateway
from heard import PATHS, STOPS, Heard, asked, heard
from msgspec import Struct

from trunkline.analytics.store import find_generation
from trunkline.mock.script import Script
from trunkline.mock.thread import MockServer
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import generation_text

AT_ONCE: Final = 24


class Result(Struct, frozen=True):
    """What came of the last try of a case; `status` 0 and no id where no whole answer came. `calls`: how often the first and the second
    endpoint were called in it."""

    turn: int
    status: int
    id: str
    body: bytes
    calls: tuple[int, int] = (0, 0)
    record: GenerationRecord | None = None


class Run(Struct, frozen=True):
    """The results by the name of their case; `charged` is what the key was charged, `recorded` the sum of all generations (USD)."""

    results: Mapping[str, Result]
    charged: float
    recorded: float


def run(cases: Sequence[Case], folder: Path) -> Run:
    """Tries all the cases."""
    with MockServer(scene=Script(rules=tuple(script(cases)))) as mock, MockServer(scene=Script(rules=tuple(script(cases)))) as gone:
        with Gateway(folder, configuration(cases, mock.origin, gone.origin)) as gateway:
            results, ids = asyncio.run(_all(gateway, cases))
            until(lambda: len(_records(folder)) >= len(ids), 60)
            charged = get(gateway, "/key").json["data"]["usage"]
            assert not [line for line in gateway.log if "Traceback" in line or "was never retrieved" in line], "".join(gateway.log)
        seen = Counter(one.model for one in (*mock.seen(), *gone.seen()))
    records = _records(folder)
    assert "" in ids or set(records) == set(ids), "one record for each request"
    judged = {}
    for case, result in zip(cases, results, strict=True):
        model = case.model(result.turn)
        calls = (seen[model], seen[f"other-{model}"])
        judged[case.name] = Result(result.turn, result.status, result.id, result.body, calls, records.get(result.id))
    return Run(judged, charged, sum(record.cost for record in records.values()) / 1e12)


async def _all(gateway: Gateway, cases: Sequence[Case]) -> tuple[list[Result], list[str]]:
    places = asyncio.Semaphore(AT_ONCE)
    ids: list[str] = []

    async def one(session: aiohttp.ClientSession, case: Case) -> Result:
        async with places:
            for turn in range(case.tries):
                result = await _ask(session, gateway, case, turn)
                ids.append(result.id)
                if not _is_inconclusive(case, result):
                    break
            return result

    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        results = await asyncio.gather(*(one(session, case) for case in cases))
    return results, ids


async def _ask(session: aiohttp.ClientSession, gateway: Gateway, case: Case, turn: int) -> Result:
    body = asked(case.skin, f"m/{case.model(turn)}", stream=case.streamed, provider={"order": [f"first{case.number}", "other"]})
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    try:
        async with session.post(gateway.url + PATHS[case.skin], data=body, headers=headers) as response:
            return Result(turn, response.status, response.headers["x-generation-id"], await response.read())
    except (TimeoutError, aiohttp.ClientError) as error:
        return Result(turn, 0, "", repr(error).encode())


def _is_inconclusive(case: Case, result: Result) -> bool:
    """Whether a busy machine may have brought about another outcome, that is right as well: content and failure came with one read, so that
    the other endpoint could step in, or an impatient endpoint had no time for its words."""
    if case.outcome != "error" or result.status != 200:
        return False
    return OTHER_TEXT.encode()[:2] in result.body or (case.strike.slow and WORDS[1].encode() not in result.body)


def judge(case: Case, result: Result) -> None:
    """The commit rule, and what follows from it for the record and the caller's account."""
    assert result.status == 200, result.body
    assert result.record is not None
    passed = case.skin == (case.dialect if case.outcome != "next" else "chat")
    said = heard(case.skin, result.body, stream=case.streamed, passed=passed)
    _JUDGES[case.outcome](case, said, result.record)
    assert result.record.input_tokens or case.outcome == "error"
    first, second = result.calls
    assert second == (case.outcome == "next")
    assert first == 1 or case.strike.gone or (first == 2 and case.strike.resent), "the first endpoint is called once"


def _outcomes(record: GenerationRecord) -> list[tuple[str, str | None]]:
    return [(attempt.endpoint_id.partition("@")[2].rstrip("0123456789"), attempt.error_type) for attempt in record.attempts]


def _judge_same(case: Case, said: Heard, record: GenerationRecord) -> None:
    """The first endpoint's answer, complete."""
    text = TEXT.replace("p1 ", "p1 p1 ") if case.strike.name == "repeated-event" else TEXT
    assert said.text == text
    assert said.finish in STOPS
    assert not said.error_type
    assert _outcomes(record) == [("first", None)]
    if case.strike.name != "no-usage":
        assert record.cost == FIRST_COST
    assert record.cost > 0


def _judge_next(case: Case, said: Heard, record: GenerationRecord) -> None:
    """The second endpoint's answer, complete, and no trace of the first; it alone is charged."""
    assert said.text == OTHER_TEXT
    assert said.finish in STOPS
    assert not said.error_type
    assert _outcomes(record) == [("first", case.strike.error_type), ("other", None)]
    assert record.cost == SECOND_COST


def _judge_error(case: Case, said: Heard, record: GenerationRecord) -> None:
    """Everything that came before the failure, then an honest error; nothing is charged."""
    if case.strike.name == "drop-rst":  # a reset may overtake what was sent before it
        assert case.strike.said.startswith(said.text)
    else:
        assert said.text == case.strike.said
    assert said.finish == "error"
    assert said.error_type == case.strike.error_type
    assert _outcomes(record) == [("first", case.strike.error_type)]
    assert (record.finish_reason, record.cost) == ("error", 0)


_JUDGES: Final = {"same": _judge_same, "next": _judge_next, "error": _judge_error}


def _records(folder: Path) -> dict[str, GenerationRecord]:
    """What is stored, by generation id."""
    with closing(sqlite3.connect(folder / "telemetry.db")) as connection:
        ids = [id for (id,) in connection.execute("SELECT id FROM generations")]
        found = [find_generation(connection, id) for id in ids]
    return {generation_text(record.id): record for record in found if record is not None}
