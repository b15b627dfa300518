"""The calls of the soak run: what is asked, how the upstream misbehaves, and what an honest gateway may answer. Pure."""

import msgspec
from msgspec import Struct


class Scene(Struct, frozen=True, kw_only=True):
    """One kind of call. `weight`: how often among all. `upstream`: the mock's model, which may name a fault; `spare`: a second, sound
    endpoint.

    `leave_after`: the client closes after that many bytes of the answer. `statuses`: what may come back.
    """

    name: str
    weight: int
    stream: bool = False
    upstream: str = "echo-1"
    spare: bool = False
    leave_after: int = 0
    statuses: frozenset[int] = frozenset({200})


_TROUBLE = frozenset({200, 400, 402, 429, 500, 502, 503, 504, 529})

SCENES = (
    Scene(name="plain", weight=8),
    Scene(name="stream", weight=8, stream=True),
    Scene(name="leaves", weight=2, stream=True, leave_after=600),
    Scene(name="busy", weight=1, upstream="fault/status?status=429&retry_after=1", statuses=_TROUBLE),
    Scene(name="broken", weight=1, stream=True, upstream="fault/status?status=500&shape=google", spare=True, statuses=_TROUBLE),
    Scene(name="drop", weight=1, stream=True, upstream="fault/drop?events=3&reset=true", statuses=_TROUBLE),
    Scene(name="stall", weight=1, stream=True, upstream="fault/stall?events=2", statuses=_TROUBLE),
    Scene(name="silent", weight=1, upstream="fault/hang", spare=True, statuses=_TROUBLE),
    Scene(name="garbage", weight=1, upstream="fault/garbage", spare=True, statuses=_TROUBLE),
    Scene(name="html", weight=1, upstream="fault/html?status=502", statuses=_TROUBLE),
    Scene(name="endless", weight=1, stream=True, upstream="fault/heartbeats?interval_ms=100", statuses=_TROUBLE),
    Scene(name="mumble", weight=1, stream=True, upstream="fault/slow_bytes?size=50&interval_ms=5"),
)


def config(base_url: str) -> str:
    """A trunkline.toml with a model for each scene, and deadlines short enough to be met often."""
    deadlines = "timeouts = { connect = 1, first_content = 2, idle = 2, total = 8 }\n"
    price = 'pricing = { prompt = "0.000001", completion = "0.000002" }\n'
    records = [
        f'[[providers]]\nslug = "{slug}"\nname = "{slug}"\ndialect = "chat"\nbase_url = "{base_url}"\napi_key = "secret"\n'
        for slug in ("soak", "spare")
    ]
    for scene in SCENES:
        records.append(f'[[models]]\nid = "soak/{scene.name}"\nname = "Soak: {scene.name}"\ncontext_length = 8192\n')
        targets = [("soak", scene.upstream), *([("spare", "echo-1")] if scene.spare else [])]
        records += [
            f'[[endpoints]]\nmodel = "soak/{scene.name}"\nprovider = "{slug}"\nupstream_model = "{name}"\n{price}{deadlines}'
            for slug, name in targets
        ]
    return "\n".join(records)


def request(scene: Scene, key: str, number: int) -> bytes:
    """The whole request. Every one differs, so that nothing is answered from a cache."""
    text = f"Message {number}: " + "the quick brown fox jumps over the lazy dog " * 3
    body: dict[str, object] = {"model": f"soak/{scene.name}", "messages": [{"role": "user", "content": text}], "stream": scene.stream}
    data = msgspec.json.encode(body)
    head = f"POST /api/v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


class Sample(Struct, frozen=True, kw_only=True):
    """The state at one moment. `minutes` since the start; memory in MB; latency of plain calls in milliseconds since the last sample."""

    minutes: float
    calls: int
    wrong: int
    rss_mb: float
    files: int
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
        "latency": middle(late, "p50_ms") <= middle(early, "p50_ms") * 1.5 + 1,
        "answers": sum(sample.wrong for sample in samples[-1:]) == 0,
    }
