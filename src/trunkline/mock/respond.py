"""From one request to the steps of its response: rules, answer, pace and fault put together, and the mock's own control routes. No
sockets here."""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from trunkline.errors import ConfigError
from trunkline.mock import answers, faults, refusals, script, wire
from trunkline.mock.call import Call, read
from trunkline.mock.reply import Reply, json_reply
from trunkline.mock.script import Facts, Fault, Pace, Rule, Rules, Script
from trunkline.mock.seen import Ledger, Seen


class Request(Struct, frozen=True, kw_only=True):
    """One parsed request. Header names are in lower case."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    keep_alive: bool


class Responder:
    """Holds the script and what was seen; answers requests with steps for the socket."""

    def __init__(self, given: Script) -> None:
        self.ledger = Ledger()
        self._serial = 0
        self.use(given)

    def use(self, given: Script) -> None:
        """Replaces the script; counts of calls start again. Raises ConfigError for a fault there is none of."""
        for rule in given.rules:
            if rule.fault is not None:
                faults.find(rule.fault.kind)
        self._script = given
        self._rules = Rules(given.rules)

    def respond(self, request: Request, seen: Seen) -> Iterable[wire.Step]:
        """The steps of the response; notes model, rule and fault in `seen`."""
        route = request.method, _route(request.path)
        if route == ("POST", "/chat/completions"):
            return self._chat(request, seen)
        handle = _CONTROL.get(route)
        reply = refusals.refuse(404, f"The mock has no {request.method} {request.path}.") if handle is None else handle(self, request)
        return wire.layout(reply, Pace(), keep_alive=request.keep_alive)

    def _chat(self, request: Request, seen: Seen) -> Iterable[wire.Step]:
        try:
            call = read(request.body)
        except ValueError as error:
            return wire.layout(refusals.refuse(400, f"The body cannot be read: {error}"), Pace(), keep_alive=request.keep_alive)
        seen.model = call.model
        facts = Facts(model=call.model, headers=dict(request.headers), stream=call.stream, text=call.text)
        rule = self._rules.choose(facts) or Rule()
        seen.rule = rule.name
        try:
            fault = rule.fault or faults.of_model(call.model)
        except ConfigError as error:
            return wire.layout(refusals.refuse(400, str(error)), Pace(), keep_alive=request.keep_alive)
        self._serial += 1
        return self._deliver(call, rule, fault, request, seen)

    def _deliver(self, call: Call, rule: Rule, fault: Fault | None, request: Request, seen: Seen) -> Iterable[wire.Step]:
        reply = answers.answer_call(call, rule.answer, rule.pace, serial=self._serial)
        if fault is None:
            return wire.layout(reply, rule.pace, keep_alive=request.keep_alive)
        seen.fault = fault.kind
        row = faults.find(fault.kind)
        steps = wire.layout(row.bend(reply, fault), rule.pace, keep_alive=request.keep_alive)
        return row.damage(steps, fault)

    def models(self, _request: Request) -> Reply:
        """`GET /models`: the script's models, and one for each fault."""
        return answers.list_models((*self._script.models, *(f"fault/{kind}" for kind in faults.FAULTS)))

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
        """`POST /_mock/reset`: forgets what was seen and the counts of the rules; the script stays."""
        self.ledger.clear()
        self.use(self._script)
        return json_reply(b'{"ok":true}')


def _route(path: str) -> str:
    """The path without query, cut to the part a route is known by, so that any base path works (`/v1`, `/openai/v1`)."""
    plain = path.partition("?")[0]
    return next((suffix for suffix in ("/chat/completions", "/models") if plain.endswith(suffix)), plain)


_CONTROL: Mapping[tuple[str, str], Callable[[Responder, Request], Reply]] = {
    ("GET", "/models"): Responder.models,
    ("GET", "/health"): lambda _responder, _request: json_reply(b'{"status":"ok"}'),
    ("GET", "/_mock/seen"): Responder.show_seen,
    ("POST", "/_mock/rules"): Responder.replace_rules,
    ("POST", "/_mock/reset"): Responder.reset,
}
