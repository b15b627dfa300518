"""The market of the fleet simulation: thirty endpoints of six models, and what befalls them when (`bench.fleet`)."""

import random
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, structs

from trunkline.mock.script import Answer, Fault, Member, Pace, Rule, Spell

MODELS: Final = 6
EACH: Final = 5
"""Endpoints of one model."""
DOWN: Final = (4, 3, 2, 1, 0, 0)
"""How many endpoints of the models fail at once, in changing order: a third of the fleet, but never all of one model."""
WORDS: Final = 12
TEXT: Final = "".join(f"w{number} " for number in range(WORDS))


class Trouble(Struct, frozen=True):
    """A kind of trouble, and what plays it. `dead`: no request gets through. `cuts`: answers break off after their first content."""

    name: str
    spell: Spell
    dead: bool = False
    cuts: bool = False


TROUBLES: Final = (
    Trouble("outage (503)", Spell(fault=Fault(kind="status", status=503)), dead=True),
    Trouble("brown-out (half of the requests fail with 500)", Spell(share=0.5, fault=Fault(kind="status", status=500))),
    Trouble("connections reset", Spell(fault=Fault(kind="reset")), dead=True),
    Trouble("rate limit (429 above 2 requests/s)", Spell(rate=2, fault=Fault(kind="status", status=429, retry_after=1))),
    Trouble("answers cut in mid-content (half of them)", Spell(share=0.5, fault=Fault(kind="drop", events=4)), cuts=True),
    Trouble("slow start (first byte after 1 s)", Spell(pace=Pace(head_ms=1000, event_ms=10))),
    Trouble("requests taken and never answered", Spell(fault=Fault(kind="hang")), dead=True),
    Trouble("an HTML page with 200 in place of an answer", Spell(fault=Fault(kind="html", status=200)), dead=True),
    Trouble("answers cut before their content", Spell(fault=Fault(kind="drop", events=0)), dead=True),
    Trouble("bytes that are not HTTP", Spell(fault=Fault(kind="garbage")), dead=True),
)


class Outage(Struct, frozen=True):
    """A trouble of one endpoint, in seconds since the start."""

    house: str
    trouble: Trouble
    start: float
    end: float


class Plan(Struct, frozen=True, kw_only=True):
    """How long, and how hard. A third of the fleet fails in each of `phases` periods of `seconds`, another third in the next; then all is
    well for `rest` seconds. `rate`: requests a second. `patience`: seconds that an endpoint has for its first content."""

    phases: int = 3
    seconds: float = 40.0
    rest: float = 45.0
    rate: float = 40.0
    patience: float = 2.0
    seed: int = 7

    @property
    def length(self) -> float:
        """Seconds."""
        return self.phases * self.seconds + self.rest


def house(model: int, number: int) -> str:
    """The name of an endpoint."""
    return f"house{model * EACH + number:02}"


def model_of(name: str) -> int:
    """The model that an endpoint serves."""
    return int(name.removeprefix("house")) // EACH


def outages(plan: Plan) -> list[Outage]:
    """What befalls whom, the same whenever the seed is the same. Each phase has every kind of trouble once."""
    chance = random.Random(plan.seed)  # noqa: S311  a play needs no secrecy
    found: list[Outage] = []
    for phase in range(plan.phases):
        down, troubles = [*DOWN], [*TROUBLES]
        chance.shuffle(down)
        chance.shuffle(troubles)
        start = phase * plan.seconds
        for model, count in enumerate(down):
            chosen = chance.sample(range(EACH), count)
            found += [Outage(house(model, number), troubles.pop(), start, start + plan.seconds) for number in chosen]
    return found


def members(plan: Plan, events: Sequence[Outage]) -> list[Member]:
    """The fleet."""
    answer = Rule(answer=Answer(events=WORDS), pace=Pace(event_ms=10))
    names = [house(model, number) for model in range(MODELS) for number in range(EACH)]
    return [Member(name=name, rules=(answer,), spells=tuple(_spell(one) for one in events if one.house == name)) for name in names]


def _spell(outage: Outage) -> Spell:
    return structs.replace(outage.trouble.spell, name=outage.trouble.name, start=outage.start, end=outage.end)


def configuration(plan: Plan, urls: Sequence[tuple[str, str]]) -> str:
    """The gateway's configuration; `urls`: names of endpoints and their base URLs."""
    wait = plan.patience
    times = f"timeouts = {{ connect = {wait}, first_content = {wait}, idle = {wait}, content_idle = {wait}, total = {wait} }}"
    tables = [
        f'[[models]]\nid = "fleet/m{number}"\nname = "m{number}"\ncontext_length = 128000\noutput_modalities = ["text"]\n'
        for number in range(MODELS)
    ]
    for name, url in urls:
        tables.append(
            f'[[providers]]\nslug = "{name}"\nname = "{name}"\ndialect = "chat"\nbase_url = "{url}"\napi_key = "k-{name}"\n{times}\n'
        )
        tables.append(
            f'[[endpoints]]\nmodel = "fleet/m{model_of(name)}"\nprovider = "{name}"\nupstream_model = "echo-1"\n'
            'pricing = { prompt = "0.000001", completion = "0.000002" }\n'
        )
    return "\n".join(tables)
