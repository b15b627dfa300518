"""A fault is counted against what it speaks against: the endpoint, the credential with this model, the whole credential, or nothing."""

from collections.abc import Iterator
from itertools import product

import pytest
from clients import call
from crossroads import go
from gateway import Gateway
from heard import PATHS, asked
from msgspec import Struct
from town import PLAIN, endpoint, model, provider

from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Fault, Match, Pace, Rule, Script
from trunkline.mock.thread import MockServer

DEARER = PLAIN.replace("0.000001", "0.000004")
WORDS = 6


class Blame(Struct, frozen=True):
    """A fault, and what the router says afterwards of the endpoint that had it, and of the same credential with another model.
    `streams_only`: a whole answer does not have it."""

    name: str
    fault: Fault
    here: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    streams_only: bool = False


BLAMES = (
    Blame("server-error", Fault(kind="status", status=500), ("outage",)),
    Blame("overloaded", Fault(kind="status", status=503), ("outage",)),
    Blame("asks-for-rest", Fault(kind="status", status=503, retry_after=60), ("waiting", "outage")),
    Blame("reset", Fault(kind="reset"), ("outage",)),
    Blame("html", Fault(kind="html", status=200), ("outage",)),
    Blame("error-in-200", Fault(kind="ok_error", status=500), ("outage",)),
    Blame("cut-before-content", Fault(kind="drop", events=0), ("outage",), streams_only=True),
    Blame("cut-in-content", Fault(kind="drop", events=2), ("outage",), streams_only=True),
    Blame("no-such-model", Fault(kind="status", status=404), ("waiting", "outage")),
    Blame("rate-limit", Fault(kind="status", status=429), ("waiting",)),
    Blame("credential", Fault(kind="status", status=401), ("waiting",), ("waiting",)),
    Blame("quota", Fault(kind="status", status=402), ("waiting",), ("waiting",)),
    Blame("callers-fault", Fault(kind="status", status=400)),
    Blame("too-long", Fault(kind="status", status=400, code="context_length_exceeded")),
    Blame("oddity", Fault(kind="no_done")),
)


class Case(Struct, frozen=True):
    """A fault in one client dialect, streamed or whole, with a provider and models of its own."""

    blame: Blame
    skin: str
    streamed: bool

    @property
    def name(self) -> str:
        """The slug of the provider and of its models' author."""
        return f"{self.blame.name}-{self.skin}-{'stream' if self.streamed else 'whole'}"


SKINS = tuple(PATHS)
CASES = [
    Case(blame, skin, streamed) for blame, skin, streamed in product(BLAMES, SKINS, (True, False)) if streamed or not blame.streams_only
]


def is_first(case: Case) -> bool:
    """Whether CI has this one: each fault streamed in one dialect and whole in another."""
    at = BLAMES.index(case.blame) + (not case.streamed)
    return case.skin == SKINS[at % len(SKINS)]


@pytest.fixture(scope="module")
def market() -> Iterator[MockServer]:
    """The fault comes with the first call, and with the one that a reset connection has sent once more."""
    pace = Pace(event_ms=100, burst=False)
    rules = [
        Rule(match=Match(model=f"{one.name}-here"), first=2, answer=Said(events=WORDS), pace=pace, fault=one.blame.fault) for one in CASES
    ]
    with MockServer(scene=Script(rules=tuple(rules))) as mock:
        yield mock


@pytest.fixture(scope="module")
def blaming(market: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    tables = [provider("other", market.url)]
    for one in CASES:
        tables.append(provider(one.name, market.url))
        for place in ("here", "elsewhere"):
            slug = f"{one.name}/{place}"
            tables += [model(slug), endpoint(slug, one.name, f"{one.name}-{place}"), endpoint(slug, "other", "well", pricing=DEARER)]
    with Gateway(tmp_path_factory.mktemp("scopes"), "\n".join(tables)) as running:
        yield running


def notes(gateway: Gateway, slug: str, provider_name: str) -> list[str]:
    """What the router says of an endpoint when it plans a request."""
    told = go(gateway, slug, {"order": ["other"]}).notes[provider_name]
    return [word for word in told if word in ("outage", "waiting", "down", "degraded")]


@pytest.mark.parametrize(
    "case", [pytest.param(one, marks=() if is_first(one) else pytest.mark.long) for one in CASES], ids=lambda case: case.name
)
def test_blame_falls_where_it_belongs(blaming: Gateway, market: MockServer, case: Case) -> None:
    here, elsewhere = f"{case.name}/here", f"{case.name}/elsewhere"
    assert notes(blaming, here, case.name) == []
    body = asked(case.skin, here, stream=case.streamed, provider={"order": [case.name, "other"]})
    answer = call(blaming, "POST", PATHS[case.skin], body)
    assert answer.status == 200, answer.body
    assert f"{case.name}-here" in {seen.model for seen in market.seen()}
    assert notes(blaming, here, case.name) == list(case.blame.here)
    assert notes(blaming, elsewhere, case.name) == list(case.blame.elsewhere)
    assert notes(blaming, here, "other") == []
