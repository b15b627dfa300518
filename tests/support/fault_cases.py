"""The fault matrix: every fault of the mock at each place where it can strike, in every client dialect and from every upstream dialect.

A case has a model of its own at two endpoints: the first fails as the case says, the second, dearer and of another dialect, is well. Where
the place is in mid-content the outcome depends on what one read brings, so such a case may be tried again, slower, under another model.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from msgspec import Struct
from town import CALM, PLAIN

from trunkline.mock.script import Answer, Fault, Match, Pace, Rule, Tokens

Place = Literal["head", "open", "mid"]
Outcome = Literal["same", "next", "error"]

SKINS: Final = ("chat", "messages", "responses")
DIALECTS: Final = ("chat", "responses", "messages", "gemini", "converse", "cohere")
WORDS: Final = ("p0 ", "p1 ", "p2 ", "p3 ", "p4 ", "p5")
TEXT: Final = "".join(WORDS)
OTHER_TEXT: Final = "q0 q1 q2"
DEAR: Final = '{ prompt = "0.000003", completion = "0.000050" }'
FIRST: Final = Answer(text=TEXT, tokens=Tokens(prompt=10, completion=6), usage_place="asked")
SECOND: Final = Answer(text=OTHER_TEXT, tokens=Tokens(prompt=20, completion=3))
FIRST_COST: Final = 10 * 1_000_000 + 6 * 2_000_000
SECOND_COST: Final = 20 * 3_000_000 + 3 * 50_000_000
"""Pico-dollars."""
TRIES: Final = 3
GAP_MS: Final = (120, 700, 2500)
"""Between two events, in the first try and in those after it; one that waits for a timeout has more patience instead."""
PATIENCE_S: Final = (1.0, 2.5, 6.0)


class Strike(Struct, frozen=True, kw_only=True):
    """One row of the matrix. `place`: before the head, before the content, or within it. `whole`, `streamed`: where it can be tried.

    `outcome`: what becomes of a stream; a whole answer that fails is given by the other endpoint. `error_type`: what the failed attempt is
    recorded as. `said`: what the client has heard before an error. `slow`: the first endpoint gives up after a second. `gone`: it closes
    its port. `resent`: a connection that had been idle may have been given up by the upstream, so that the request is sent once more.

    `not_of`: upstream dialects that have no such place: Gemini's streams begin with content, and what ends Responses' streams is what tells
    how they ended. `not_passed`: where dialects are the same the upstream's broken grammar passes as it is.
    """

    name: str
    place: Place
    fault: Fault
    outcome: Outcome
    error_type: str = "provider_unavailable"
    whole: bool = True
    streamed: bool = True
    said: str = "p0 p1 "
    slow: bool = False
    gone: bool = False
    not_of: Sequence[str] = ()
    not_passed: bool = False
    resent: bool = False


class Case(Struct, frozen=True, kw_only=True):
    """One cell of the matrix."""

    number: int
    strike: Strike
    skin: str
    dialect: str
    streamed: bool

    @property
    def name(self) -> str:
        """For reports."""
        return f"{self.strike.name}-{self.strike.place}-{self.skin}-of-{self.dialect}-{'stream' if self.streamed else 'whole'}"

    @property
    def outcome(self) -> Outcome:
        """What must come of it by the commit rule."""
        return "next" if self.strike.outcome == "error" and not self.streamed else self.strike.outcome

    @property
    def tries(self) -> int:
        """How often it may be tried."""
        return TRIES if self.strike.place == "mid" or self.strike.slow else 1

    def model(self, turn: int) -> str:
        """The model of a try, which is also its name at the first endpoint."""
        return f"c{self.number}t{turn}"


def _refusal(status: int, error_type: str) -> Strike:
    return Strike(name=f"status-{status}", place="head", fault=Fault(kind="status", status=status), outcome="next", error_type=error_type)


def _next(name: str, place: Place, fault: Fault, **more: object) -> Strike:
    return Strike(name=name, place=place, fault=fault, outcome="next", **more)  # type: ignore[arg-type]


def _late(name: str, fault: Fault, **more: object) -> Strike:
    return Strike(name=name, place="mid", fault=fault, outcome="error", **{"whole": False, **more})  # type: ignore[arg-type]


def _same(name: str, fault: Fault, **more: object) -> Strike:
    return Strike(name=name, place="mid", fault=fault, outcome="same", **more)  # type: ignore[arg-type]


STRIKES: Final[Sequence[Strike]] = (
    _refusal(500, "provider_unavailable"),
    _refusal(503, "provider_overloaded"),
    _refusal(529, "provider_overloaded"),
    _refusal(429, "rate_limit_exceeded"),
    _refusal(401, "provider_unavailable"),
    _refusal(402, "provider_unavailable"),
    _refusal(404, "not_found"),
    _refusal(400, "invalid_request"),
    _next("html-502", "head", Fault(kind="html", status=502)),
    _next("huge-head", "head", Fault(kind="huge_head", size=2_000_000)),
    _next("hang", "head", Fault(kind="hang"), error_type="timeout", slow=True),
    _next("slow-head", "head", Fault(kind="slow_head", seconds=30), error_type="timeout", slow=True),
    _next("garbage", "head", Fault(kind="garbage")),
    _next("reset", "head", Fault(kind="reset"), resent=True),
    _next("refuse", "head", Fault(kind="refuse"), gone=True),
    _next("cut", "head", Fault(kind="cut", after=40)),
    _next("cut-rst", "head", Fault(kind="cut", after=40, reset=True)),
    _next("ok-error", "open", Fault(kind="ok_error", status=500)),
    _next("ok-error-in-a-list", "open", Fault(kind="ok_error", shape="google_list", status=500)),
    _next("ok-base-resp", "open", Fault(kind="ok_error", shape="base_resp", status=500)),
    _next("ok-no-json", "open", Fault(kind="ok_error", body="Service is starting")),
    _next("ok-list", "open", Fault(kind="ok_error", body="[]")),
    _next("html", "open", Fault(kind="html", status=200)),
    _next("empty", "open", Fault(kind="empty")),
    _next("error-event", "open", Fault(kind="error_event", events=0, status=500), whole=False, not_of=("gemini",)),
    _next("garbage-event", "open", Fault(kind="garbage_event", events=0), not_of=("gemini",)),
    _next("huge-event", "open", Fault(kind="huge_event", events=0, size=17_000_000), whole=False, not_of=("gemini",)),
    _next("corrupt-event", "open", Fault(kind="corrupt_event", events=1)),
    _next("drop", "open", Fault(kind="drop", events=0), whole=False, not_of=("gemini",)),
    _next("slow-first", "open", Fault(kind="slow_first", seconds=30), error_type="timeout", slow=True, whole=False),
    _next("heartbeats", "open", Fault(kind="heartbeats", seconds=30), error_type="timeout", slow=True, whole=False),
    _next("role-only", "open", Fault(kind="role_only"), error_type="timeout", slow=True, whole=False, not_of=("gemini",)),
    _late("error-event", Fault(kind="error_event", events=2, status=500)),
    _late("garbage-event", Fault(kind="garbage_event", events=2)),
    _late("huge-event", Fault(kind="huge_event", events=2, size=17_000_000)),
    _late("corrupt-event", Fault(kind="corrupt_event", events=2), said="p0 "),
    _late("no-finish", Fault(kind="no_finish"), said=TEXT),
    _late("stall", Fault(kind="stall", events=2), error_type="timeout", slow=True),
    _late("drop", Fault(kind="drop", events=2)),
    _late("drop-rst", Fault(kind="drop", events=2, reset=True)),
    _next("bad-chunk", "mid", Fault(kind="bad_chunk"), streamed=False),
    _next("longer-length", "mid", Fault(kind="wrong_length", size=50), streamed=False),
    _next("shorter-length", "mid", Fault(kind="wrong_length", size=-30), streamed=False),
    _same("bad-chunk", Fault(kind="bad_chunk"), whole=False),
    _same("longer-length", Fault(kind="wrong_length", size=50), whole=False),
    _same("repeated-event", Fault(kind="repeated_event", events=2), whole=False, not_passed=True),
    _same("no-start", Fault(kind="no_start"), whole=False, not_passed=True),
    _same("no-borders", Fault(kind="no_borders"), whole=False, not_passed=True),
    _same("no-usage", Fault(kind="no_usage")),
    _same("no-done", Fault(kind="no_done"), not_of=("responses",)),
    _late("no-terminal", Fault(kind="no_done"), said=TEXT, not_of=("chat", "messages", "gemini", "converse", "cohere")),
    _same("no-blank-line", Fault(kind="no_blank_line")),
    _same("crlf", Fault(kind="crlf")),
    _same("encoded", Fault(kind="encoded")),
    _same("deflated", Fault(kind="encoded", encoding="deflate")),
    _same("slow-bytes", Fault(kind="slow_bytes", size=200, interval_ms=1)),
    _same("until-close", Fault(kind="until_close")),
)


def everything() -> list[Case]:
    """The full matrix."""
    cells = [
        (strike, skin, dialect, streamed)
        for dialect in DIALECTS
        for skin in SKINS
        for strike in STRIKES
        for streamed in (True, False)
        if (strike.streamed if streamed else strike.whole) and dialect not in strike.not_of and not (strike.not_passed and skin == dialect)
    ]
    return [Case(number=at, strike=cell[0], skin=cell[1], dialect=cell[2], streamed=cell[3]) for at, cell in enumerate(cells)]


def pairwise() -> list[Case]:
    """A part of it with every pair: each row meets each dialect, each skin streamed and whole, and each of these meets each dialect."""
    return [case for case in everything() if _taken(STRIKES.index(case.strike), case)]


def _taken(row: int, case: Case) -> bool:
    column = DIALECTS.index(case.dialect)
    both = case.strike.streamed and case.strike.whole
    return SKINS.index(case.skin) == (row + column) % 3 and (not both or case.streamed == bool((row + column // 3) % 2))


def configuration(cases: Sequence[Case], origin: str, gone: str) -> str:
    """The gateway's configuration; `origin` is the mock's, `gone` that of the one whose port closes."""
    return "\n".join([_provider("other", "chat", origin), *(table for case in cases for table in _tables(case, origin, gone))])


def _provider(slug: str, dialect: str, origin: str) -> str:
    base = {"converse": origin, "cohere": f"{origin}/v2"}.get(dialect, f"{origin}/v1")
    what = f'slug = "{slug}"\nname = "{slug}"\ndialect = "{dialect}"\nbase_url = "{base}"\napi_key = "secret-of-{slug}"'
    return f"[[providers]]\n{what}\n{CALM}\n"


def _tables(case: Case, origin: str, gone: str) -> Iterator[str]:
    slug = f"first{case.number}"
    yield _provider(slug, case.dialect, gone if case.strike.gone else origin)
    for turn in range(case.tries):
        name = case.model(turn)
        patience = PATIENCE_S[turn]
        hasty = (
            f"timeouts = {{ connect = 20, first_content = {patience}, idle = {patience}, content_idle = {patience}, total = {patience} }}"
        )
        yield f'[[models]]\nid = "m/{name}"\nname = "{name}"\ncontext_length = 128000\noutput_modalities = ["text"]\n'
        yield f'[[endpoints]]\nmodel = "m/{name}"\nprovider = "{slug}"\nupstream_model = "{name}"\npricing = {PLAIN}\n' + (
            hasty if case.strike.slow else ""
        )
        yield f'[[endpoints]]\nmodel = "m/{name}"\nprovider = "other"\nupstream_model = "other-{name}"\npricing = {DEAR}\n'


def script(cases: Sequence[Case]) -> list[Rule]:
    """What the mock plays."""
    rules = [Rule(match=Match(model="other-*"), answer=SECOND)]
    for case in cases:
        for turn in range(case.tries):
            slowed = case.strike.place == "mid" and case.outcome == "error"
            pace = Pace(event_ms=GAP_MS[0 if case.strike.slow else turn], burst=False) if slowed else Pace()
            rules.append(Rule(match=Match(model=case.model(turn)), answer=FIRST, pace=pace, fault=case.strike.fault))
    return rules
