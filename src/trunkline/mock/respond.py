"""From one request to the steps of its response: dialect, rules, answer, pace and fault put together, and the mock's own control routes.
No sockets here."""

import time
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import parse_qsl, unquote

from msgspec import Struct, structs

from trunkline.errors import ConfigError
from trunkline.mock import dialects, faults, refusals, script, wire
from trunkline.mock.call import Asked, Call, decode
from trunkline.mock.checks import keys
from trunkline.mock.content import CREATED, encode
from trunkline.mock.dialects import Dialect
from trunkline.mock.reply import Manner, Refusal, Reply, json_reply
from trunkline.mock.rules import Facts, Rules
from trunkline.mock.script import Fault, Pace, Rule, Scene
from trunkline.mock.seen import Ledger, Seen
from trunkline.mock.spells import Spells


class Request(Struct, frozen=True, kw_only=True):
    """One parsed request. Header names are in lower case."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    keep_alive: bool


class Responder:
    """Holds what an endpoint plays and what was seen; answers requests with steps for the socket. `clock`: seconds, for the spells."""

    def __init__(self, given: Scene, clock: Callable[[], float] = time.monotonic) -> None:
        self.ledger = Ledger()
        self._clock = clock
        self._serial = 0
        self.use(given)

    def use(self, given: Scene) -> None:
        """Replaces the script; counts of calls and the clock of the spells start again. Raises ConfigError for a fault there is none of."""
        for fault in (*(rule.fault for rule in given.rules), *(spell.fault for spell in given.spells)):
            if fault is not None:
                faults.find(fault.kind)
        self._script = given
        self._rules = Rules(given.rules)
        self.restart()

    @property
    def scene(self) -> Scene:
        """What is played."""
        return self._script

    def restart(self) -> None:
        """Sets the clock of the spells to zero."""
        started = self._clock()
        self._spells = Spells(self._script.spells, lambda: self._clock() - started)

    def respond(self, request: Request, seen: Seen) -> Iterable[wire.Step]:
        """The steps of the response; notes dialect, model, rule, fault and refusal in `seen`."""
        path, _, query = request.path.partition("?")
        found = dialects.find(unquote(path)) if request.method == "POST" else None
        if found is None:
            handle = _CONTROL.get((request.method, _route(path)))
            reply = refusals.refuse(404, f"The mock has no {request.method} {path}.") if handle is None else handle(self, request)
            return wire.layout(reply, Pace(), keep_alive=request.keep_alive)
        dialect, named = found
        seen.dialect = dialect.name
        try:
            asked = _asked(dialect, request, unquote(path), query, named)
        except ValueError as error:
            refusal = Refusal(status=400, message=f"The body cannot be read: {error}")
            return self._refuse(refusal, dialect, request, seen)
        return self._answer(dialect, asked, request, seen)

    def _refuse(self, refusal: Refusal, dialect: Dialect, request: Request, seen: Seen) -> Iterable[wire.Step]:
        seen.refused = refusal.message
        reply = refusals.reply(refusal, self._manner(dialect).shape)
        return wire.layout(reply, Pace(), keep_alive=request.keep_alive)

    def _manner(self, dialect: Dialect) -> Manner:
        """The dialect's manner, for chat with the shape of refusals that the script names."""
        return structs.replace(dialect.manner, shape=self._script.shape) if dialect.manner.shape == "openai" else dialect.manner

    def _answer(self, dialect: Dialect, asked: Asked, request: Request, seen: Seen) -> Iterable[wire.Step]:
        call = structs.replace(dialect.read(asked), realm=self._script.realm)
        seen.model = call.model
        wrong = keys.unknown(asked, self._script, dialect.name) or dialect.check(asked, self._script)
        if wrong is not None:
            return self._refuse(wrong, dialect, request, seen)
        facts = Facts(
            model=call.model,
            headers=asked.headers,
            stream=call.stream,
            text=call.text,
            dialect=dialect.name,
            results=bool(call.results),
        )
        rule = self._rules.choose(facts) or Rule()
        seen.rule = rule.name
        try:
            fault = rule.fault or faults.of_model(call.model)
        except ConfigError as error:
            return self._refuse(Refusal(status=400, message=str(error)), dialect, request, seen)
        self._serial += 1
        return self._deliver(dialect, call, rule, fault, request, seen)

    def _deliver(self, dialect: Dialect, call: Call, rule: Rule, fault: Fault | None, request: Request, seen: Seen) -> Iterable[wire.Step]:
        spell = self._spells.cast()
        if spell is not None:
            seen.spell = spell.name
            fault = fault or spell.fault
            rule = structs.replace(rule, pace=spell.pace or rule.pace)
        reply = dialect.write(call, rule.answer, rule.pace, serial=self._serial)
        if fault is None:
            return wire.layout(reply, rule.pace, keep_alive=request.keep_alive)
        seen.fault = fault.kind
        row = faults.find(fault.kind)
        manner = self._manner(dialect)
        steps = wire.layout(row.bend(reply, fault, manner), rule.pace, keep_alive=request.keep_alive)
        return row.damage(steps, fault, manner)

    def models(self, _request: Request) -> Reply:
        """`GET /models`: the script's models, and one for each fault."""
        names = (*self._script.models, *(f"fault/{kind}" for kind in faults.FAULTS))
        listed = [{"id": name, "object": "model", "created": CREATED, "owned_by": "mock"} for name in names]
        return json_reply(encode({"object": "list", "data": listed}))

    def show_seen(self, _request: Request) -> Reply:
        """`GET /_mock/seen`."""
        return json_reply(self.ledger.encode())

    def replace_rules(self, request: Request) -> Reply:
        """`POST /_mock/rules`: a whole script as JSON, or as TOML with that content type."""
        toml = "toml" in dict(request.headers).get("content-type", "")
        try:
            self.use(script.parse(request.body, where="POST /_mock/rules", toml=toml))
        except ConfigError as error:
            return refusals.refuse(400, str(error))
        return json_reply(b'{"ok":true}')

    def reset(self, _request: Request) -> Reply:
        """`POST /_mock/reset`: forgets what was seen, the counts of the rules and the clock of the spells; the script stays."""
        self.ledger.clear()
        self.use(self._script)
        return json_reply(b'{"ok":true}')


def _asked(dialect: Dialect, request: Request, path: str, query: str, named: Mapping[str, str]) -> Asked:
    """The request as readers take it. Raises ValueError for a body that is no JSON object, unless it may be a form."""
    form = dialect.form and "json" not in dict(request.headers).get("content-type", "")
    return Asked(
        path=path,
        query=dict(parse_qsl(query)),
        headers=dict(request.headers),
        body={} if form else decode(request.body),
        raw=request.body,
        model=named.get("model", ""),
        verb=named.get("verb", ""),
    )


def _route(path: str) -> str:
    """The path cut to the part a route is known by, so that any base path works (`/v1`, `/openai/v1`)."""
    return "/models" if path.endswith("/models") else path


_CONTROL: Mapping[tuple[str, str], Callable[[Responder, Request], Reply]] = {
    ("GET", "/models"): Responder.models,
    ("GET", "/health"): lambda _responder, _request: json_reply(b'{"status":"ok"}'),
    ("GET", "/_mock/seen"): Responder.show_seen,
    ("POST", "/_mock/rules"): Responder.replace_rules,
    ("POST", "/_mock/reset"): Responder.reset,
}
