"""A fault is counted against what it speaks against: the endpoint, the credential with this model, the whole credential, or nothing."""

import json
from collections.abc import Iterator

import pytest
from clients import Answer, call
from gateway import Gateway
from msgspec import Struct
from town import PLAIN, endpoint, model, provider

from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Fault, Match, Pace, Rule, Script
from trunkline.mock.thread import MockServer

DEARER = PLAIN.replace("0.000001", "0.000004")
WORDS = 6


class Blame(Struct, frozen=True):
    """A fault, and what the router says afterwards of the endpoint that had it, and of the same credential with another model."""

    name: str
    fault: Fault
    here: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


BLAMES = (
    Blame("server-error", Fault(kind="status", status=500), ("outage",)),
    Blame("overloaded", Fault(kind="status", status=503), ("outage",)),
    Blame("asks-for-rest", Fault(kind="status", status=503, retry_after=60), ("waiting", "outage")),
    Blame("reset", Fault(kind="reset"), ("outage",)),
    Blame("html", Fault(kind="html", status=200), ("outage",)),
    Blame("error-in-200", Fault(kind="ok_error", status=500), ("outage",)),
    Blame("cut-before-content", Fault(kind="drop", events=0), ("outage",)),
    Blame("cut-in-content", Fault(kind="drop", events=2), ("outage",)),
    Blame("no-such-model", Fault(kind="status", status=404), ("waiting", "outage")),
    Blame("rate-limit", Fault(kind="status", status=429), ("waiting",)),
    Blame("credential", Fault(kind="status", status=401), ("waiting",), ("waiting",)),
    Blame("quota", Fault(kind="status", status=402), ("waiting",), ("waiting",)),
    Blame("callers-fault", Fault(kind="status", status=400)),
    Blame("too-long", Fault(kind="status", status=400, code="context_length_exceeded")),
    Blame("oddity", Fault(kind="no_done")),
)


@pytest.fixture(scope="module")
def market() -> Iterator[MockServer]:
    """The fault comes with the first call alone."""
    pace = Pace(event_ms=100, burst=False)
    rules = [Rule(match=Match(model=f"{one.name}-here"), first=2, answer=Said(events=WORDS), pace=pace, fault=one.fault) for one in BLAMES]
    with MockServer(scene=Script(rules=tuple(rules))) as mock:
        yield mock


@pytest.fixture(scope="module")
def blaming(market: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    tables = [provider("other", market.url)]
    for one in BLAMES:
        tables.append(provider(one.name, market.url))
        for place in ("here", "elsewhere"):
            slug = f"{one.name}/{place}"
            tables += [model(slug), endpoint(slug, one.name, f"{one.name}-{place}"), endpoint(slug, "other", "well", pricing=DEARER)]
    with Gateway(tmp_path_factory.mktemp("scopes"), "\n".join(tables)) as running:
        yield running


def ask(gateway: Gateway, slug: str, *order: str) -> Answer:
    fields: dict[str, object] = {"model": slug, "stream": True, "messages": [{"role": "user", "content": "Hello."}]}
    body = json.dumps({**fields, "provider": {"order": order}} if order else fields).encode()
    return call(gateway, "POST", "/api/v1/chat/completions", body, headers={"X-OpenRouter-Metadata": "enabled"})


def notes(gateway: Gateway, slug: str, provider_name: str) -> list[str]:
    """What the router says of an endpoint when it plans a request."""
    answer = ask(gateway, slug, "other")
    (metadata,) = [event["openrouter_metadata"] for event in answer.events if "openrouter_metadata" in event]
    (mine,) = [one for one in metadata["endpoints"]["available"] if one["tag"] == provider_name]
    return [word for word in mine.get("notes", ()) if word in ("outage", "waiting", "down", "degraded")]


@pytest.mark.parametrize("blame", BLAMES, ids=lambda blame: blame.name)
def test_blame_falls_where_it_belongs(blaming: Gateway, market: MockServer, blame: Blame) -> None:
    assert notes(blaming, f"{blame.name}/here", blame.name) == []
    answer = ask(blaming, f"{blame.name}/here", blame.name, "other")
    assert answer.status == 200, answer.body
    assert f"{blame.name}-here" in {seen.model for seen in market.seen()}
    assert notes(blaming, f"{blame.name}/here", blame.name) == list(blame.here)
    assert notes(blaming, f"{blame.name}/elsewhere", blame.name) == list(blame.elsewhere)
    assert notes(blaming, f"{blame.name}/here", "other") == []
