"""The client is gone: before the head, before the content, within it, before the last word, after the end.

An endpoint that stops generating when its connection closes is left at once, and what was delivered is charged; one that bills on is read
to its end, and all is charged. Before the content there is nothing to charge, though the upstream bills the prompt. Each request is
metered once.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from clients import dial, head, until
from fault_cases import FIRST, FIRST_COST
from gateway import Gateway
from heard import PATHS, asked
from msgspec import Struct
from polyglot import DIALECTS
from town import CALM, PLAIN, model

from trunkline.analytics.store import find_generation
from trunkline.mock.script import Fault, Match, Pace, Rule, Script
from trunkline.mock.seen import Seen
from trunkline.mock.thread import MockServer
from trunkline.protocol.generation import GenerationRecord

LONG_S: Final = 3600
SHORT_S: Final = 2.0
PROMPT_PRICE: Final = 1_000_000
"""Pico-dollars."""
PACE: Final = Pace(event_ms=250, burst=False)


class Stage(Struct, frozen=True):
    """When the client leaves: once it has read `until` (nothing: once the upstream has the request). `fault`: what the upstream waits for
    then, `{}` seconds long. `delivered`: whether anything was."""

    name: str
    until: bytes
    fault: str = ""
    delivered: bool = True
    ended: bool = False


STAGES: Final = (
    Stage("before-the-head", b"", "slow_head", delivered=False),
    Stage("before-the-content", b"", "slow_first", delivered=False),
    Stage("in-the-content", b"p1 "),
    Stage("before-the-last-word", b"p4 "),
    Stage("after-the-end", b"0\r\n\r\n", ended=True),
)


class Case(Struct, frozen=True):
    """One stage in a client dialect, at an endpoint that stops or bills on."""

    stage: Stage
    skin: str
    dialect: str
    bills_on: bool
    streamed: bool = True

    @property
    def model(self) -> str:
        """The model that only this case asks for."""
        kind = "bills-on" if self.bills_on else "stops"
        return f"{self.stage.name}-{self.skin}-of-{self.dialect}-{kind}-{'stream' if self.streamed else 'whole'}"


STREAMS: Final = [
    Case(stage, skin, dialect, bills_on)
    for (at, stage), (row, skin), bills_on in product(enumerate(STAGES), enumerate(PATHS), (False, True))
    for dialect in {skin, DIALECTS[(at + row) % len(DIALECTS)]}
]
IN_THE_BODY: Final = Stage("in-the-body", b"", "slow_bytes", delivered=False)
WHOLES: Final = [
    Case(stage, skin, dialect, bills_on, streamed=False)
    for stage, skin, bills_on in product((STAGES[0], IN_THE_BODY), PATHS, (False, True))
    for dialect in {"chat", skin}
]
CASES: Final = sorted([*STREAMS, *WHOLES], key=lambda case: case.model)


def _rule(case: Case) -> Rule:
    waits = SHORT_S if case.bills_on or not case.streamed else LONG_S
    fault = Fault(kind=case.stage.fault, seconds=waits, size=20, interval_ms=50) if case.stage.fault else None
    return Rule(match=Match(model=case.model), answer=FIRST, pace=PACE, fault=fault)


def _configuration(origin: str) -> str:
    bases = {"converse": origin, "cohere": f"{origin}/v2"}
    tables = [
        f'[[providers]]\nslug = "{one}"\nname = "{one}"\ndialect = "{one}"\napi_key = "k"\n'
        f'base_url = "{bases.get(one, origin + "/v1")}"\n{CALM}\n'
        for one in DIALECTS
    ]
    for case in CASES:
        cancel = "bills_on" if case.bills_on else "stops"
        tables.append(
            model(f"m/{case.model}") + f'[[endpoints]]\nmodel = "m/{case.model}"\nprovider = "{case.dialect}"\n'
            f'upstream_model = "{case.model}"\npricing = {PLAIN}\non_cancel = "{cancel}"\n'
        )
    return "\n".join(tables)


def _leave(gateway: Gateway, mock: MockServer, case: Case) -> None:
    """One request, up to the moment at which the client goes."""
    body = asked(case.skin, f"m/{case.model}", stream=case.streamed)
    with dial(gateway) as connection:
        connection.sendall(head(PATHS[case.skin], length=len(body)) + body)
        received = b""
        while case.stage.until and case.stage.until not in received:
            data = connection.recv(65536)
            assert data, received
            received += data
        mock.wait(lambda seen: case.model in {one.model for one in seen}, 60)


def _records(folder: Path) -> Mapping[str, Sequence[GenerationRecord]]:
    """What is stored, by model."""
    found: dict[str, list[GenerationRecord]] = {}
    with closing(sqlite3.connect(folder / "telemetry.db")) as connection:
        for (id,) in connection.execute("SELECT id FROM generations").fetchall():
            record = find_generation(connection, id)
            assert record is not None
            found.setdefault(record.model.removeprefix("m/"), []).append(record)
    return found


class Run(Struct, frozen=True):
    """What the upstream saw and what was recorded, by the model of a case."""

    seen: Mapping[str, Seen]
    records: Mapping[str, Sequence[GenerationRecord]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("gone")
    with (
        MockServer(scene=Script(rules=tuple(_rule(case) for case in CASES))) as mock,
        Gateway(folder, _configuration(mock.origin)) as gateway,
    ):
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(lambda case: _leave(gateway, mock, case), CASES))
        seen = mock.wait(lambda seen: all(one.ended or one.aborted for one in seen), 60)
        until(lambda: len(_records(folder)) == len(CASES), 60)
        assert not [line for line in gateway.log if "Traceback" in line or "was never retrieved" in line], "".join(gateway.log)
    return Run({one.model: one for one in seen}, _records(folder))


def is_late(run: Run, case: Case) -> bool:
    """Whether a busy machine had the answer end before its client could leave."""
    within = case.streamed and case.stage.delivered and not case.stage.ended
    return within and not run.records[case.model][0].cancelled


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.model)
def test_the_client_is_gone(run: Run, case: Case) -> None:
    (record,) = run.records[case.model]
    left = case.streamed and not case.stage.ended and not is_late(run, case)
    stops = left and not case.bills_on
    assert run.seen[case.model].aborted == stops, "left at once, or read to its end"
    assert record.cancelled == left
    if not stops:
        assert (record.cost, record.output_tokens) == (FIRST_COST, 6)
    elif case.stage.delivered:
        assert record.cost > 0
        assert record.output_tokens > 0
    else:
        assert record.input_tokens > 0, "its upstream bills the prompt, its caller pays for content"
        assert (record.cost, record.output_tokens, record.usage_source) == (0, 0, "estimated")
        assert record.upstream_cost == record.input_tokens * PROMPT_PRICE
    assert len(record.attempts) <= 1


def test_most_clients_left_in_time(run: Run) -> None:
    assert sum(is_late(run, case) for case in CASES) < len(CASES) / 4
