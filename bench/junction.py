"""The soak's models with several endpoints: six upstreams in four dialects, some of which are in trouble at any time. Pure."""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, structs

from bench.market import TROUBLES
from trunkline.mock.script import Answer, Match, Member, Pace, Rule, Spell

SIX: Final = "road/six"
FOUR: Final = "road/four"
CALLS: Final = "Toolwise"
FENCED: Final = "Fencewise"
"""The words by which the upstreams know that they shall call a tool, or say JSON that has to be mended."""
OBJECT: Final = {"city": "mock"}
"""The arguments of the tool, and the JSON."""
MODERATE: Final = {"prompt": 4.5, "completion": 9}
"""A ceiling, in USD a million tokens, that the dearest endpoint is above."""
DEADLINES: Final = "timeouts = { connect = 1, first_content = 2, idle = 2, total = 8 }\n"
PERIOD_S: Final = 20.0
"""How long a trouble lasts."""


class Road(Struct, frozen=True):
    """One of the upstreams. `price`: pico-dollars of a prompt token."""

    name: str
    dialect: str
    price: int


ROADS: Final = (
    Road("road0", "chat", 1_500_000),
    Road("road1", "chat", 2_000_000),
    Road("road2", "chat", 2_500_000),
    Road("road3", "responses", 1_000_000),
    Road("road4", "messages", 2_200_000),
    Road("road5", "gemini", 5_000_000),
)
CHATTY: Final = tuple(road.name for road in ROADS if road.dialect == "chat")
_MODELS: Final[Mapping[str, Sequence[Road]]] = {SIX: ROADS, FOUR: ROADS[:4]}


def troubles(seconds: float, seed: int = 11) -> dict[str, list[Spell]]:
    """What befalls whom: three of the six at any time, by chance, but never all that speak chat, so that every call has a way."""
    chance = random.Random(seed)  # noqa: S311  a play needs no secrecy
    found: dict[str, list[Spell]] = {road.name: [] for road in ROADS}
    for period in range(int(seconds / PERIOD_S) + 1):
        down = chance.sample([road.name for road in ROADS], 3)
        if set(down) == set(CHATTY):
            down.pop()
        for name, trouble in zip(down, chance.sample(TROUBLES, len(down)), strict=True):
            found[name].append(structs.replace(trouble.spell, start=period * PERIOD_S, end=(period + 1) * PERIOD_S))
    return found


def members(seconds: float, ports: Sequence[int]) -> list[Member]:
    """The upstreams of a run that lasts so long, one on each port."""
    spells = troubles(seconds)
    pace = Pace(event_ms=2)
    rules = (
        Rule(match=Match(contains=CALLS), answer=Answer(offered=1), pace=pace),
        Rule(match=Match(contains=FENCED), answer=Answer(text='```json\n{"city": "mock",}\n```'), pace=pace),
        Rule(pace=pace),
    )
    return [
        Member(name=road.name, port=port, rules=rules, spells=tuple(spells[road.name])) for road, port in zip(ROADS, ports, strict=True)
    ]


def model(slug: str) -> str:
    """A model of the configuration."""
    return f'[[models]]\nid = "{slug}"\nname = "{slug}"\ncontext_length = 8192\noutput_modalities = ["text"]\n'


def config(members: Mapping[str, str]) -> str:
    """Providers, models and endpoints; `members`: base URLs by name."""
    records = [
        f'[[providers]]\nslug = "{road.name}"\nname = "{road.name}"\ndialect = "{road.dialect}"\nbase_url = "{members[road.name]}"\n'
        'api_key = "secret"\n'
        for road in ROADS
    ]
    for slug, roads in _MODELS.items():
        records.append(model(slug))
        records += [_endpoint(slug, road) for road in roads]
    return "\n".join(records)


def _endpoint(slug: str, road: Road) -> str:
    prices = {"prompt": road.price, "completion": 2 * road.price, "input_cache_read": road.price // 10}
    priced = ", ".join(f'{name} = "{price / 10**12:.9f}"' for name, price in prices.items())
    return (
        f'[[endpoints]]\nmodel = "{slug}"\nprovider = "{road.name}"\nupstream_model = "echo-1"\npricing = {{ {priced} }}\n'
        f'quantization = "fp8"\n{DEADLINES}'
    )
