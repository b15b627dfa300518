"""The calls of the soak run: what is asked, how the upstream misbehaves, and what an honest gateway may answer. Pure."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec
from msgspec import Struct

from bench import junction, skins

Says = Literal["echo", "json", "call"]


class Scene(Struct, frozen=True, kw_only=True):
    """One kind of call. `weight`: how often among all.

    `model`: what is asked for, with several endpoints, of which some are in trouble at any time, but never all. Empty = a model of the
    scene's own with one endpoint, which is `upstream` at the mock and may name a fault; `spare`: and a second, sound one.

    `more` and `headers`: further fields and headers. `sessions`: so many conversations take turns. `repeats`: the same few questions come
    again and again; 0 = every one is new. `says`: what an answer is: the question, healed JSON, or the call of a tool.
    `leave_after`: the client closes after that many bytes of the answer. `statuses`: what may come back.
    """

    name: str
    weight: int = 2
    skin: skins.Skin = "chat"
    model: str = ""
    stream: bool = False
    upstream: str = "echo-1"
    spare: bool = False
    more: Mapping[str, object] = {}
    headers: Mapping[str, str] = {}
    sessions: int = 0
    repeats: int = 0
    says: Says = "echo"
    leave_after: int = 0
    statuses: frozenset[int] = frozenset({200})

    @property
    def asks_for(self) -> str:
        """The model in the request."""
        return self.model or f"soak/{self.name}"

    def question(self, number: int) -> str:
        """What the call with this number asks."""
        number = number % self.repeats if self.repeats else number
        return f"{_WORDS[self.says]} {number}: " + "the quick brown fox jumps over the lazy dog " * 3


_WORDS: Final[Mapping[Says, str]] = {"echo": "Message", "json": junction.FENCED, "call": junction.CALLS}
_TROUBLE: Final = frozenset({200, 400, 402, 429, 500, 502, 503, 504, 529})


def _faulty(name: str, upstream: str, *, stream: bool = False, spare: bool = False, skin: skins.Skin = "chat") -> Scene:
    """A model whose endpoint misbehaves always in the same way."""
    return Scene(name=name, weight=1, upstream=upstream, stream=stream, spare=spare, skin=skin, statuses=_TROUBLE)


SINGLE: Final = (
    Scene(name="plain", weight=8),
    Scene(name="stream", weight=8, stream=True),
    Scene(name="leaves", weight=2, stream=True, leave_after=600),
    _faulty("busy", "fault/status?status=429&retry_after=1"),
    _faulty("broken", "fault/status?status=500&shape=google", stream=True, spare=True),
    _faulty("drop", "fault/drop?events=3&reset=true", stream=True),
    _faulty("stall", "fault/stall?events=2", stream=True, skin="messages"),
    _faulty("silent", "fault/hang", spare=True, skin="responses"),
    _faulty("garbage", "fault/garbage", spare=True),
    _faulty("html", "fault/html?status=502"),
    _faulty("endless", "fault/heartbeats?interval_ms=100", stream=True),
    Scene(name="mumble", weight=1, stream=True, upstream="fault/slow_bytes?size=50&interval_ms=5"),
)
_SIX, _FOUR = junction.SIX, junction.FOUR
_PICKY: Final = {
    "preferred_min_throughput": {"p50": 5, "p90": 1},
    "preferred_max_latency": 2,
    "require_parameters": True,
    "quantizations": ["fp8", "unknown"],
}
_ORDER: Final = {"order": ["road2", "road3", "road0"], "ignore": ["road5"]}
_KEPT: Final = {"X-OpenRouter-Cache": "true", "X-OpenRouter-Cache-TTL": "20"}
_HEALING: Final = {"response_format": {"type": "json_object"}, "plugins": [{"id": "response-healing"}]}
_AUTO: Final = {"plugins": [{"id": "auto-router", "allowed_models": ["road/*"], "cost_tier": "max"}]}
ROUTED: Final = (
    Scene(name="drawn", model=_SIX),
    Scene(name="drawn stream", model=_SIX, stream=True),
    Scene(name="fastest", model=_SIX, skin="messages", stream=True, more={"provider": {"sort": "throughput"}}),
    Scene(name="cheapest", model=_SIX, skin="responses", more={"provider": {"sort": "price", "max_price": junction.MODERATE}}),
    Scene(name="in order", model=_SIX, skin="responses", stream=True, more={"provider": _ORDER}),
    Scene(name="picky", model=_FOUR, skin="messages", more={"provider": _PICKY}),
    Scene(name="other model", model="soak/html", stream=True, more={"models": ["soak/html", "soak/busy", _FOUR]}),
    Scene(name="over models", model=_FOUR, more={"models": [_FOUR, _SIX], "provider": {"sort": {"by": "latency", "partition": "none"}}}),
    Scene(name="talk", model=_SIX, skin="messages", stream=True, sessions=200),
    Scene(name="talk about tools", model=_SIX, stream=True, sessions=50, says="call"),
    Scene(name="tools", model=_SIX, skin="responses", says="call"),
    Scene(name="exacto", model=f"{_SIX}:exacto", skin="messages", stream=True, says="call"),
    Scene(name="floor", model=f"{_FOUR}:floor", skin="responses", stream=True),
    Scene(name="kept", model=_FOUR, repeats=50, headers=_KEPT),
    Scene(name="kept stream", model=_SIX, stream=True, repeats=50, headers=_KEPT),
    Scene(name="healed", model=_SIX, says="json", more={"provider": {"only": [*junction.CHATTY]}, **_HEALING}),
    Scene(name="auto", model="openrouter/auto", sessions=100, more=_AUTO),
    Scene(name="auto stream", model="openrouter/auto", skin="messages", stream=True, more=_AUTO),
    Scene(name="told", model=_SIX, headers={"X-OpenRouter-Metadata": "enabled"}),
)
SCENES: Final = SINGLE + ROUTED


def config(base_url: str, members: Mapping[str, str]) -> str:
    """A trunkline.toml with a model for each scene of one endpoint, and those of the junction. `members`: base URLs by name."""
    records = [
        f'[[providers]]\nslug = "{slug}"\nname = "{slug}"\ndialect = "chat"\nbase_url = "{base_url}"\napi_key = "secret"\n'
        for slug in ("soak", "spare")
    ]
    for scene in SINGLE:
        records.append(junction.model(scene.asks_for))
        targets = [("soak", scene.upstream), *([("spare", "echo-1")] if scene.spare else [])]
        records += [
            f'[[endpoints]]\nmodel = "{scene.asks_for}"\nprovider = "{slug}"\nupstream_model = "{name}"\n'
            f'pricing = {{ prompt = "0.000001", completion = "0.000002" }}\n{junction.DEADLINES}'
            for slug, name in targets
        ]
    return "\n".join([*records, junction.config(members)])


def request(scene: Scene, key: str, number: int) -> bytes:
    """The whole request."""
    body: dict[str, object] = {"model": scene.asks_for, "stream": scene.stream}
    body |= skins.asked(scene.skin, scene.question(number), tools=scene.says == "call") | dict(scene.more)
    if scene.sessions:
        body["session_id"] = f"{scene.name} {number % scene.sessions}"
    data = msgspec.json.encode(body)
    headers = {"Host": "127.0.0.1", "Authorization": f"Bearer {key}", "Content-Type": "application/json", **scene.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {skins.PATHS[scene.skin]} HTTP/1.1\r\n{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


class Outcome(Struct, frozen=True):
    """What came of a call. `cut`: a stream that broke off and said so; `refused`: an error before any content. `why`: of what is wrong."""

    kind: Literal["whole", "cut", "refused", "wrong"]
    why: str = ""


_WHOLE, _CUT, _REFUSED = Outcome("whole"), Outcome("cut"), Outcome("refused")


def outcome(scene: Scene, number: int, status: int, body: bytes) -> Outcome:
    """What came of a call that was answered."""
    if status not in scene.statuses:
        return Outcome("wrong", f"status {status}: {body[:300]!r}")
    try:
        if status != 200:
            return _REFUSED if skins.refused(body) else Outcome("wrong", "a refusal that says nothing")
        return _heard(scene, number, skins.hear(scene.skin, body, stream=scene.stream))
    except (skins.Broken, msgspec.DecodeError) as broken:
        return Outcome("wrong", str(broken))


def _heard(scene: Scene, number: int, heard: skins.Heard) -> Outcome:
    """An answer is whole. A stream may be its beginning and an error, where the upstream breaks off; where there are several, only after
    its first content."""
    expected = scene.question(number)
    if heard.error:
        begun = bool(heard.text or heard.arguments)
        honest = scene.stream and (scene.model or scene.statuses != {200}) and expected.startswith(heard.text)
        if not honest or not (begun or not scene.model):
            return Outcome("wrong", f"error {heard.error!r} after {heard.text!r}")
        return _CUT if begun else _REFUSED
    if not heard.ended:
        return Outcome("wrong", "an answer without its end")
    if scene.says == "echo":
        return _WHOLE if heard.text == expected else Outcome("wrong", f"{heard.text!r} for {expected!r}")
    said = heard.arguments if scene.says == "call" else heard.text
    right = bool(said) and msgspec.json.decode(said) == junction.OBJECT
    return _WHOLE if right else Outcome("wrong", f"{said!r} for {junction.OBJECT!r}")


class Sample(Struct, frozen=True, kw_only=True):
    """The state at one moment. `minutes` since the start; memory in MB; `tasks` of the gateway's event loop; latency of plain calls in
    milliseconds since the last sample."""

    minutes: float
    calls: int
    wrong: int
    rss_mb: float
    files: int
    tasks: int
    p50_ms: float
    p99_ms: float
    data_mb: float


def judge(samples: list[Sample]) -> dict[str, bool]:
    """Whether each figure is flat: the last quarter against the second one, the first being warm-up. Empty for fewer than 8 samples."""
    if len(samples) < 8:
        return {}
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]

    def middle(part: list[Sample], key: str) -> float:
        values = sorted(getattr(sample, key) for sample in part)
        return float(values[len(values) // 2])

    return {
        "memory": middle(late, "rss_mb") <= middle(early, "rss_mb") * 1.05 + 2,
        "open files": middle(late, "files") <= middle(early, "files") + 16,
        "tasks": middle(late, "tasks") <= middle(early, "tasks") + 16,
        "latency": middle(late, "p50_ms") <= middle(early, "p50_ms") * 1.5 + 1,
        "answers": sum(sample.wrong for sample in samples[-1:]) == 0,
    }
