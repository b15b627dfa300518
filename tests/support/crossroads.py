"""Models whose endpoints tell who answered, for tests that look at routing from outside.

Every model has endpoints of its own, each known to the mock as `<tag>|<name of the model>`, so that a rule can make one of them fail and
what the mock saw tells which were called. The outage of one test must not order the endpoints of the next, hence a model for each.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from clients import CHAT, Answer, call
from gateway import Gateway
from msgspec import Struct
from town import provider

from trunkline.mock.script import Fault, Match, Rule
from trunkline.mock.thread import MockServer

ASKED = {"X-OpenRouter-Metadata": "enabled"}


class Stop(Struct, frozen=True, kw_only=True):
    """One endpoint. `prompt`, `completion`: USD for a million tokens; `prices`: more as TOML; `keys`: further lines of its table."""

    tag: str
    prompt: float = 1
    completion: float = 1
    prices: str = ""
    keys: str = ""


def line(slug: str, *stops: Stop, keys: str = "") -> str:
    """A model with its endpoints; `keys` are further lines of its table."""
    name = slug.partition("/")[2]
    modalities = "" if "output_modalities" in keys else 'output_modalities = ["text"]\n'
    tables = [f'[[models]]\nid = "{slug}"\nname = "{name}"\ncontext_length = 128000\n{modalities}{keys}\n']
    for stop in stops:
        prices = f'prompt = "{stop.prompt / 1e6:.12f}", completion = "{stop.completion / 1e6:.12f}"' + (stop.prices and f", {stop.prices}")
        tables.append(
            f'[[endpoints]]\nmodel = "{slug}"\nprovider = "{stop.tag.partition("/")[0]}"\ntag = "{stop.tag}"\n'
            f'upstream_model = "{upstream_name(slug, stop.tag)}"\npricing = {{ {prices} }}\n{stop.keys}\n'
        )
    return "\n".join(tables)


def upstream_name(slug: str, tag: str) -> str:
    """What the mock knows the endpoint as."""
    return f"{tag}|{slug.partition('/')[2]}"


def map_of(url: str, lines: Sequence[str], houses: Sequence[str]) -> str:
    """The configuration: providers of these slugs, all of them the mock at `url`, and the models."""
    return "\n".join([*(provider(slug, url) for slug in houses), *lines])


class Way(Struct, frozen=True):
    """What the router told of one request: the tags in the order in which they would be tried, `out` those left out with reason and rule,
    `notes` by tag, and the tag that `served`, empty if none did."""

    order: tuple[str, ...]
    out: Mapping[str, tuple[str, str]]
    notes: Mapping[str, tuple[str, ...]]
    served: str
    answer: Answer


def failing(houses: Sequence[str], fault: Fault) -> tuple[Rule, ...]:
    """Rules by which the endpoints of a house have a fault when the prompt says so: `!ash` of those at ash."""
    return tuple(Rule(match=Match(model=f"{house}*", contains=f"!{house}"), fault=fault) for house in houses)


def go(gateway: Gateway, model: str, provider: object = None, text: str = "Where to?", *, path: str = CHAT, **fields: Any) -> Way:
    """One request, and what the router told of it."""
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
    if provider is not None:
        body["provider"] = provider
    answer = call(gateway, "POST", path, json.dumps(body).encode(), headers=ASKED)
    rows = _told(answer)["endpoints"]["available"]
    ranked = sorted((row for row in rows if "rank" in row), key=lambda row: row["rank"])
    return Way(
        tuple(row["tag"] for row in ranked),
        {row["tag"]: (row["excluded_by"], row.get("rule", "")) for row in rows if "rank" not in row},
        {row["tag"]: tuple(row.get("notes", ())) for row in rows},
        next((row["tag"] for row in rows if row["selected"] and answer.status == 200), ""),
        answer,
    )


def _told(answer: Answer) -> Any:
    """The metadata of an answer in any dialect, whole or streamed."""
    events = answer.events or [answer.json]
    found = [(event.get("response") or event).get("openrouter_metadata") for event in events]
    return next((one for one in found if one is not None), {"endpoints": {"available": []}})


def called(upstream: MockServer, model: str) -> list[str]:
    """The tags of the endpoints of a model that the mock has been called for, in order."""
    name = model.partition("/")[2]
    return [tag for tag, _, of in (seen.model.partition("|") for seen in upstream.seen()) if of == name]
