"""The prepared way to an endpoint."""

import pytest
from msgspec.structs import replace
from pipelines import served

from trunkline.errors import EgressDenied, UpstreamRefused
from trunkline.inference.routes import Routes
from trunkline.protocol.catalogue import Auth
from trunkline.protocol.quirks import Quirks
from trunkline.providers.credentials import Credentials
from trunkline.transport.fake import FakeClient


def test_a_route_is_made_once_and_anew_for_a_new_endpoint() -> None:
    routes = Routes(FakeClient(), Credentials({}), {})
    endpoint = served("one")
    assert routes.to(endpoint) is routes.to(endpoint)
    changed = replace(endpoint, base_url="http://other.test/v1/")
    assert routes.to(changed) is not routes.to(endpoint)
    assert routes.to(changed).whole.url == "http://other.test/v1/chat/completions"


def test_the_credential_is_in_the_head_and_nowhere_else() -> None:
    endpoint = served("one", auth=Auth(source="env:KEY"))
    route = Routes(FakeClient(), Credentials({"KEY": "secret-value"}), {}).to(endpoint)
    assert b"secret-value" in route.whole.request(b"{}", b"")
    assert "secret-value" not in repr(route)


def test_new_credentials_are_used_for_new_endpoints() -> None:
    routes = Routes(FakeClient(), Credentials({"KEY": "old"}), {})
    endpoint = served("one", auth=Auth(source="env:KEY"))
    routes.to(endpoint)
    routes.credentials = Credentials({"KEY": "new"})
    assert b"Bearer new" in routes.to(replace(endpoint)).whole.request(b"{}", b"")


def test_a_forbidden_address_is_refused() -> None:
    with pytest.raises(EgressDenied):
        Routes(FakeClient(), Credentials({}), {}).to(served("one", base_url="http://127.0.0.1/v1", operator_url=False))


def test_a_launched_endpoint_has_its_launcher() -> None:
    async def launch() -> None: ...

    routes = Routes(FakeClient(), Credentials({}), {"local": launch})
    assert routes.to(served("one", launch="local")).launch is launch
    assert routes.to(served("two")).launch is None


def test_another_operation_of_an_endpoint_has_the_same_head() -> None:
    endpoint = served("one", dialect="messages", auth=Auth(style="header", header="x-api-key", source="env:KEY"))
    target = Routes(FakeClient(), Credentials({"KEY": "secret-value"}), {}).target(endpoint, "http://one.test/v1/messages/count_tokens")
    head = target.request(b"{}", b"").lower()
    assert b"post /v1/messages/count_tokens " in head
    assert b"x-api-key: secret-value" in head
    assert b"anthropic-version: 2023-06-01" in head


def test_a_route_has_the_signer_of_its_endpoint() -> None:
    class Signer:
        async def headers(self, _method: str, _url: str, _body: bytes) -> dict[str, str]:
            return {}

        def forget(self, _headers: object) -> None: ...

    signer = Signer()
    routes = Routes(FakeClient(), Credentials({}), {}, lambda endpoint: signer if endpoint.tag == "one" else None)
    assert routes.to(served("one")).signer is signer
    assert routes.to(served("two")).signer is None
    assert Routes(FakeClient(), Credentials({}), {}).to(served("one")).signer is None


def test_experiments_go_on_to_upstreams_of_the_dialect_that_take_them() -> None:
    asked = {b"anthropic-beta": b"long-2,effort-3", b"cookie": b"x"}
    routes, quirks = Routes(FakeClient(), Credentials({}), {}), Quirks(betas={"long-2": ""})
    assert routes.to(served("one", dialect="messages", quirks=quirks)).forwarded(asked) == b"anthropic-beta: long-2\r\n"
    assert routes.to(served("two", dialect="messages")).forwarded(asked) == b""
    assert routes.to(served("three", dialect="chat", quirks=quirks)).forwarded(asked) == b""


def test_callers_own_keys_have_routes_of_their_own_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trunkline.inference.routes.MOST_OWN", 2)
    routes = Routes(FakeClient(), Credentials({}, lambda name: f"secret-{name}"), {})
    shared, owned = served("one"), [served("one", byok=name, auth=Auth(source=f"own:{name}")) for name in "abc"]
    kept = routes.to(shared)
    heads = [routes.to(one).whole.request(b"{}", b"") for one in owned]
    assert [f"Bearer secret-{name}".encode() in head for name, head in zip("abc", heads, strict=True)] == [True] * 3
    assert routes.to(shared) is kept
    assert routes.to(owned[2]) is routes.to(owned[2])
    assert len(routes._own) == 2


def test_a_callers_own_key_that_is_gone_opens_nothing() -> None:
    for credentials in (Credentials({}), Credentials({}, lambda _name: "two\nlines")):
        with pytest.raises(UpstreamRefused) as error:
            Routes(FakeClient(), credentials, {}).to(served("one", byok="k", auth=Auth(source="own:k")))
        assert error.value.kind == "credential"
        assert "lines" not in error.value.message
