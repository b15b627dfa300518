"""The fault matrix: faults of the mock by where they strike, streamed or whole, by client dialect and by upstream dialect.

Before the first content another endpoint answers and the client notices nothing; after it the stream ends with an honest error in its own
grammar. No byte of text is lost or said twice, nothing is charged for a failure, and an answer is charged once.
"""

import traceback
from collections.abc import Callable

import pytest
from fault_cases import DIALECTS, SKINS, STRIKES, Case, everything, pairwise
from fault_runs import Run, judge, run

from trunkline.mock.faults import FAULTS

PAIRS = pairwise()
ALL = {
    (dialect, skin): [case for case in everything() if (case.dialect, case.skin) == (dialect, skin)]
    for dialect in DIALECTS
    for skin in SKINS
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(PAIRS, tmp_path_factory.mktemp("pairs"))


def test_every_fault_is_in_the_matrix() -> None:
    assert {strike.fault.kind for strike in STRIKES} == set(FAULTS)


@pytest.mark.parametrize("case", PAIRS, ids=lambda case: case.name)
def test_each_pair(pairs: Run, case: Case) -> None:
    judge(case, pairs.results[case.name])


def test_the_key_is_charged_for_what_is_recorded(pairs: Run) -> None:
    assert pairs.charged == pytest.approx(pairs.recorded, abs=1e-9)
    assert pairs.charged > 0


@pytest.mark.long
@pytest.mark.parametrize(("dialect", "skin"), ALL)
def test_all(dialect: str, skin: str, tmp_path: pytest.TempPathFactory) -> None:
    cases = ALL[dialect, skin]
    done = run(cases, tmp_path)
    told = {case.name: _verdict(lambda case=case: judge(case, done.results[case.name])) for case in cases}
    wrong = {name: (said, done.results[name]) for name, said in told.items() if said}
    assert not wrong, wrong
    assert done.charged == pytest.approx(done.recorded, abs=1e-9)


def _verdict(judged: Callable[[], None]) -> str:
    try:
        judged()
    except AssertionError as error:
        frames = traceback.extract_tb(error.__traceback__)
        return f"{frames[-1].line} {error}"
    return ""
