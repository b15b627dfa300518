"""Callers' own keys, from the copies of endpoints to the bill: the examples of contract 9.1 [BYOK], and what must never happen."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs
from pipelines import JSON_HEADERS, PRICE, USER, Bench, Outcome, answer, served, stream, words

from trunkline.catalogue.catalogue import Catalogue
from trunkline.inference.own_keys import OwnKeys, can_be_called, copied
from trunkline.metering.view import generation_view
from trunkline.protocol.catalogue import Auth, DataPolicy, Endpoint
from trunkline.protocol.own_keys import OwnKey
from trunkline.protocol.principal import Principal
from trunkline.protocol.routing import Plan
from trunkline.providers.credentials import Credentials
from trunkline.transport.fake import FakeReply

METADATA = {b"x-openrouter-metadata": b"enabled"}


def key(provider: str, id: str = "", **changes: Any) -> OwnKey:
    name = id or f"{provider}-own"
    return OwnKey(id=name, provider=provider, source=f"own:{name}", **changes)


def keyed(tag: str, **changes: Any) -> Endpoint:
    """An endpoint that is opened by a key, the instance's being `instance-of-PROVIDER`."""
    return served(tag, **{"auth": Auth(source=f"instance-of-{tag.partition('/')[0]}"), **changes})


class Keyring(Bench):
    """A pipeline whose caller has keys."""

    def __init__(self, endpoints: Sequence[Endpoint], *replies: Any, keys: Sequence[OwnKey], secrets: dict[str, str] | None = None) -> None:
        super().__init__(endpoints, *replies)
        held = {one.id: f"secret-of-{one.id}" for one in keys} if secrets is None else secrets
        self.routes.credentials = Credentials({}, held.get)
        self.services = structs.replace(self.services, own_keys=OwnKeys(lambda principal: keys if principal == USER else ()))
        self.pipeline = type(self.pipeline)(self.services)

    def plan(self, **fields: Any) -> Plan:
        """Where a request would go: all of its attempts."""
        self.client.replies = [refused(500)] * 20
        plans: list[Plan] = []
        planned = self.pipeline.planned

        def spy(*arguments: Any, **options: Any) -> Plan:
            plans.append(planned(*arguments, **options))
            return plans[-1]

        self.pipeline.planned = spy  # type: ignore[method-assign]
        self.ask(**fields)
        return plans[-1]

    @property
    def opened_by(self) -> list[str]:
        """The credential of each call, in order."""
        found = [re.search(rb"authorization: ([^\r]*)\r", sent.target.head) for sent in self.client.sent]
        return ["" if one is None else one[1].decode() for one in found]


def refused(status: int) -> FakeReply:
    return FakeReply(status, JSON_HEADERS, [b'{"error": {"message": "no"}}'])


def names(plan: Plan) -> list[str]:
    return [f"{one.provider}-{'own' if one.byok else 'shared'}" for one in plan.attempts]


def ids(plan: Plan) -> list[str]:
    return [one.byok or "shared" for one in plan.attempts]


THREE = [keyed("bedrock"), keyed("vertex"), keyed("anthropic")]
ORDER = ["bedrock", "vertex", "anthropic"]


def test_three_own_keys_and_an_order_are_six_attempts() -> None:
    bench = Keyring(THREE, keys=[key(one) for one in reversed(ORDER)])
    expected = [f"{one}-{kind}" for kind in ("own", "shared") for one in ORDER]
    assert names(bench.plan(provider={"order": ORDER})) == expected
    bench = Keyring(THREE, *[refused(500)] * 5, answer(), keys=[key(one) for one in ORDER])
    outcome = bench.ask(provider={"order": ORDER})
    assert outcome.json["provider"] == "Anthropic"
    assert len(bench.record.attempts) == 6
    assert [one.is_byok for one in bench.record.attempts] == [True] * 3 + [False] * 3


def test_an_own_key_for_one_provider_goes_before_the_order() -> None:
    bench = Keyring(THREE, keys=[key("vertex")])
    plan = bench.plan(provider={"order": ["bedrock", "vertex"], "only": ["bedrock", "vertex"]})
    assert names(plan) == ["vertex-own", "bedrock-shared", "vertex-shared"]


def test_prioritised_keys_then_shared_capacity_then_fallback_keys() -> None:
    keys = [key("acme", "C", fallback=True), key("acme", "A"), key("acme", "B")]
    assert ids(Keyring([keyed("acme")], keys=keys).plan()) == ["A", "B", "shared", "C"]


def test_a_key_for_one_model_that_is_always_to_be_used() -> None:
    keys = [key("openai", "A", models=frozenset({"a/m"}), always=True), key("openai", "B")]
    bench = Keyring([keyed("openai"), keyed("openai", id="other", model="a/other")], keys=keys)
    assert ids(bench.plan()) == ["A", "B"]
    assert ids(bench.plan(model="a/other")) == ["B", "shared"]


@pytest.mark.parametrize("always", [False, True])
def test_an_own_key_at_a_provider_that_retains_is_not_used_with_zdr(always: bool) -> None:
    bench = Keyring([keyed("acme")], answer(), keys=[key("acme", always=always)])
    error = bench.ask(provider={"zdr": True}).error
    assert error is not None
    assert error.availability is not None
    assert (error.status, error.availability["code"]) == (404, "privacy_restricted")
    assert error.availability["excluded_by"] == ["data_policy:zdr"]
    assert bench.client.sent == []


def test_an_own_key_wins_across_models_only_where_all_are_one_list() -> None:
    endpoints = [keyed("acme"), keyed("bolt", id="n", model="a/n", data_policy=DataPolicy())]
    bench = Keyring(endpoints, keys=[key("bolt")])
    assert names(bench.plan(models=["a/n"])) == ["acme-shared", "bolt-own", "bolt-shared"]
    partition = {"sort": {"by": "price", "partition": "none"}}
    assert names(bench.plan(models=["a/n"], provider=partition)) == ["bolt-own", "acme-shared", "bolt-shared"]


def test_an_own_key_makes_callable_what_the_instance_has_no_key_for() -> None:
    lacking = keyed("acme", auth=Auth(source="env:ACME_KEY"))
    bench = Keyring([lacking], answer(), keys=[key("acme")])
    bench.catalogue = Catalogue(
        models=bench.catalogue.models.values(), endpoints=[lacking], providers={}, authors={}, missing={lacking.id: ("ACME_KEY",)}
    )
    assert bench.ask().status == 200
    assert bench.opened_by == ["Bearer secret-of-acme-own"]


def account(outcome: Outcome, *, streamed: bool) -> dict[str, Any]:
    usage = next(event["usage"] for event in reversed(outcome.events) if "usage" in event) if streamed else outcome.json["usage"]
    return dict(usage)


@pytest.mark.parametrize("streamed", [False, True])
def test_what_an_own_key_paid_is_told_and_not_charged(streamed: bool) -> None:
    reply = stream(*words("Paris.")) if streamed else answer()
    bench = Keyring([keyed("acme")], reply, keys=[key("acme")])
    usage = account(bench.ask(stream=streamed), streamed=streamed)
    listed = 7 * PRICE.prompt + 3 * PRICE.completion
    assert (usage["is_byok"], usage["cost"]) == (True, 0)
    assert usage["cost_details"]["upstream_inference_cost"] == pytest.approx(listed / 1e12)
    assert (bench.record.is_byok, bench.record.cost, bench.record.upstream_cost) == (True, 0, listed)
    assert (bench.ledgers.settled, bench.ledgers.own_keys) == ([], [listed])
    view = generation_view(bench.record)
    assert (view["is_byok"], view["provider_responses"][0]["is_byok"]) == (True, True)  # type: ignore[index]


def test_shared_capacity_after_an_own_key_is_charged_as_ever() -> None:
    bench = Keyring([keyed("acme")], refused(500), answer(), keys=[key("acme")])
    outcome = bench.ask()
    assert bench.opened_by == ["Bearer secret-of-acme-own", "Bearer instance-of-acme"]
    assert outcome.json["usage"]["is_byok"] is False
    assert bench.ledgers.settled == [7 * PRICE.prompt + 3 * PRICE.completion]
    assert (bench.record.is_byok, [one.is_byok for one in bench.record.attempts]) == (False, [True, False])


@pytest.mark.parametrize(("status", "told"), [(401, (401, "authentication")), (402, (402, "payment_required"))])
def test_the_owner_of_a_refused_key_is_told_so_and_nobody_else_suffers(status: int, told: tuple[int, str]) -> None:
    bench = Keyring([keyed("acme")], refused(status), refused(status), answer(), keys=[key("acme", always=True)])
    error = bench.ask().error
    assert error is not None
    assert (error.status, error.error_type) == told
    snapshot = bench.health.snapshot()
    assert [scope for scope, until in snapshot.cooldowns.items() if until > snapshot.now] == [("acme-own", "")]
    assert not snapshot.failing("acme")


def test_a_rate_limit_of_an_own_key_rests_that_key_alone() -> None:
    bench = Keyring([keyed("acme")], refused(429), answer(), keys=[key("acme")])
    assert bench.ask().status == 200
    snapshot = bench.health.snapshot()
    assert list(snapshot.cooldowns) == [("acme-own", "a/m")]
    assert ids(bench.plan()) == ["shared", "acme-own"]


def test_a_key_that_is_gone_never_goes_out_as_the_instances_or_as_none() -> None:
    bench = Keyring([keyed("acme")], answer(), keys=[key("acme", always=True)], secrets={})
    error = bench.ask().error
    assert error is not None
    assert (error.status, bench.client.sent) == (401, [])


def test_a_renewed_key_opens_the_next_call() -> None:
    secrets = {"v1": "one", "v2": "two"}
    first = OwnKey(id="k", provider="acme", source="own:v1")
    keys = [first]
    bench = Keyring([keyed("acme")], answer(), answer(), answer(), keys=keys, secrets=secrets)
    bench.ask()
    bench.ask()
    keys[0] = structs.replace(first, source="own:v2")
    bench.ask()
    assert bench.opened_by == ["Bearer one", "Bearer one", "Bearer two"]


def test_a_key_serves_the_callers_it_names_alone() -> None:
    endpoint = keyed("acme")
    catalogue = Bench([endpoint]).catalogue
    mine = structs.replace(USER, creator_user_id="u1")

    def copies(principal: Principal, **filters: Any) -> int:
        made = OwnKeys(lambda _principal: [key("acme", **filters)]).of(principal)
        return 0 if made is None else len(made(catalogue, "a/m"))

    assert copies(mine) == copies(mine, key_hashes=frozenset({USER.key_hash})) == copies(mine, user_ids=frozenset({"u1"})) == 1
    assert copies(mine, key_hashes=frozenset({"other"})) == copies(USER, user_ids=frozenset({"u1"})) == 0
    assert copies(mine, models=frozenset({"a/other"})) == 0


def test_a_copy_is_made_once_and_is_the_same_endpoint() -> None:
    endpoint = keyed("acme")
    catalogue = Bench([endpoint]).catalogue
    made = OwnKeys(lambda _principal: [key("acme")]).of(USER)
    assert made is not None
    (copy,) = made(catalogue, "a/m")
    assert made(catalogue, "a/m")[0] is copy
    assert (copy.id, copy.credential, endpoint.credential) == (endpoint.id, "acme-own", "acme")


def test_what_has_no_key_or_no_address_gets_no_copy() -> None:
    assert can_be_called(keyed("acme"))
    assert not can_be_called(keyed("acme", auth=Auth(style="none")))
    assert not can_be_called(keyed("acme", launch="local"))
    assert not can_be_called(keyed("acme", base_url="https://{ACME_REGION}.test/v1"))
    assert copied(keyed("acme"), key("acme", fallback=True, always=True)).byok_fallback


def test_who_has_no_keys_has_the_endpoints_of_the_catalogue() -> None:
    assert OwnKeys(lambda _principal: ()).of(USER) is None
    bench = Keyring([keyed("acme")], answer(), keys=[key("bolt")])
    assert bench.ask().json["usage"]["is_byok"] is False
