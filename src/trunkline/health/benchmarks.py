"""Benchmark scores that the operator imports, and what they say of an endpoint beside its peers (contract 3.10).

An endpoint's score is the mean of those of the last 32 days. What may be expected of a model is what its endpoints reached at first: the
median over them of each one's mean of its first 21 days, with a spread by MAD. An endpoint whose score lies two sigmas below that serves
something else than it did, or than its peers do. Fewer than four endpoints with a score are not compared.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import fmean, median
from typing import Final

from msgspec import Struct

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.config import BenchmarkRow
from trunkline.protocol.catalogue import Endpoint

ROLLING: Final = timedelta(days=32)
FIRST: Final = timedelta(days=21)
LEAST_ENDPOINTS: Final = 4
SIGMAS: Final = 2.0
MAD_TO_SIGMA: Final = 1.4826
LEAST_SIGMA: Final = 0.02
"""Runs of one benchmark differ by so much by themselves: some fifty questions or tasks, even asked several times."""

log = logging.getLogger(__name__)

Dated = list[tuple[date, float]]


class Rating(Struct, frozen=True, gc=False):
    """`scores` by benchmark, from 0 to 1; `behind`: one of them is too low, None = none can be compared."""

    scores: tuple[tuple[str, float], ...] = ()
    behind: bool | None = None


UNRATED: Final = Rating()


class Benchmarks:
    """The ratings in force, made anew when the rows, the catalogue or the UTC day are others. Of the functions the first gives what is in
    force of both, the second the day. One thread at a time may ask."""

    def __init__(self, source: Callable[[], tuple[Sequence[BenchmarkRow], Catalogue]], today: Callable[[], date] | None = None) -> None:
        self._source = source
        self._today = today or _utc_today
        self._known: tuple[Sequence[BenchmarkRow], Catalogue, date] | None = None
        self._ratings: Mapping[str, Rating] = {}

    def ratings(self) -> Mapping[str, Rating]:
        """By endpoint id, those that have a score."""
        rows, catalogue = self._source()
        today, known = self._today(), self._known
        if known is None or known[0] is not rows or known[1] is not catalogue or known[2] != today:
            self._ratings = rate(rows, catalogue.endpoints_of, today)
            if known is None or known[2] == today:
                _warn(rows, catalogue)
            self._known = (rows, catalogue, today)
        return self._ratings


def rate(rows: Iterable[BenchmarkRow], endpoints_of: Callable[[str], Iterable[Endpoint]], today: date) -> dict[str, Rating]:
    """The rating of each endpoint that has a score of the last 32 days; rows of the future wait for their day."""
    by_benchmark: dict[tuple[str, str], dict[str, Dated]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.date <= today:
            for endpoint in matching(row, endpoints_of):
                by_benchmark[row.model, row.name][endpoint.id].append((row.date, row.score))
    scores: dict[str, list[tuple[str, float]]] = defaultdict(list)
    verdicts: dict[str, list[bool]] = defaultdict(list)
    for (_, name), by_endpoint in sorted(by_benchmark.items()):
        least = _cut([_first(dated) for dated in by_endpoint.values()])
        for endpoint_id, dated in by_endpoint.items():
            lately = [score for day, score in dated if day > today - ROLLING]
            if lately:
                scores[endpoint_id].append((name, fmean(lately)))
                verdicts[endpoint_id] += [] if least is None else [fmean(lately) < least]
    return {id: Rating(tuple(found), any(verdicts[id]) if verdicts[id] else None) for id, found in scores.items()}


def matching(row: BenchmarkRow, endpoints_of: Callable[[str], Iterable[Endpoint]]) -> list[Endpoint]:
    """The endpoints that a row speaks of: the one with this tag, else all of the provider's."""
    endpoints = list(endpoints_of(row.model))
    return [one for one in endpoints if one.tag == row.provider] or [one for one in endpoints if one.provider == row.provider]


def _warn(rows: Iterable[BenchmarkRow], catalogue: Catalogue) -> None:
    unknown = {(row.model, row.provider) for row in rows if not matching(row, catalogue.endpoints_of)}
    if unknown:
        model, provider = min(unknown)
        log.warning("benchmarks: no endpoint of %d pairs of model and provider, such as %s at %s", len(unknown), model, provider)


def _first(dated: Dated) -> float:
    began = min(day for day, _ in dated)
    return fmean(score for day, score in dated if day < began + FIRST)


def _cut(firsts: Sequence[float]) -> float | None:
    """The score under which an endpoint falls behind; None when too few have one."""
    if len(firsts) < LEAST_ENDPOINTS:
        return None
    middle = median(firsts)
    return middle - SIGMAS * max(LEAST_SIGMA, MAD_TO_SIGMA * median(abs(first - middle) for first in firsts))


def _utc_today() -> date:
    return datetime.now(UTC).date()
