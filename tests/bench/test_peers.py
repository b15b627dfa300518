import tomllib
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from bench.__main__ import ROWS, chosen, report
from bench.gateways import GATEWAYS, KINDS, Gateway, Place
from bench.peers import DUTIES, MASTER_KEY, PEERS, duty_rows, litellm_config, tensorzero_config
from bench.processes import Missing
from bench.upstream import Upstream

UPSTREAM = Upstream(plain_port=1, tls_port=2, paced_port=3, authority=Path("/ca.pem"))
URLS = [UPSTREAM.url(kind) for kind in KINDS]


def test_every_peer_reaches_every_upstream_at_the_same_prices() -> None:
    models = tomllib.loads(tensorzero_config(UPSTREAM))["models"]
    providers = [models[f"bench/{kind}"]["providers"]["bench"] for kind in KINDS]
    assert [provider["api_base"].removesuffix("/") for provider in providers] == URLS
    assert [price["cost_per_million"] for price in providers[0]["cost"]] == [1, 2]
    config = msgspec.json.decode(litellm_config(UPSTREAM))
    parameters = [model["litellm_params"] for model in config["model_list"]]
    assert [each["api_base"] for each in parameters] == URLS
    assert [parameters[0]["input_cost_per_token"] * 1e6, parameters[0]["output_cost_per_token"] * 1e6] == [1, 2]
    assert config["general_settings"]["master_key"] == MASTER_KEY


def test_what_a_gateway_wants_otherwise_is_in_its_requests() -> None:
    gateway = Gateway(
        name="x", ports={"plain": 9}, paths={"plain": "/v1"}, prefix="some::", extra={"plain": {"Accept-Encoding": "identity"}}
    )
    request = gateway.request("plain")
    assert b'"model":"some::bench/plain"' in request
    assert len(gateway.body("plain")) == 630
    assert request.count(b"Accept-Encoding") == 1
    assert b"Accept-Encoding: identity\r\n" in request


def test_a_peer_without_its_environment_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.environments.fingerprint", lambda name: "never installed")
    for start in PEERS.values():
        with ExitStack() as stack, pytest.raises(Missing):
            start(Place(stack=stack, folder=tmp_path, upstream=UPSTREAM, cores=frozenset({0})))


def test_peers_are_measured_only_when_asked_for() -> None:
    assert list(chosen((), peers=False)) == list(GATEWAYS)
    assert list(chosen((), peers=True)) == list(ROWS)
    assert list(chosen(("litellm",), peers=False)) == ["direct", "litellm"]


def test_beside_the_peers_nothing_is_judged_and_duties_are_told() -> None:
    figures = {name: {"plain_us": [100.0]} for name in ("envoy", "trunkline", "litellm")}
    text, met = report(figures, "heading", peers=True)
    assert met
    assert "verdict" not in text
    assert "| litellm | 1.106.2 | one master key" in text
    text, met = report({"envoy": {"plain_us": [1.0]}, "trunkline": {"plain_us": [100.0]}}, "heading", peers=False)
    assert not met
    assert "**missed**" in text


def test_every_row_but_the_direct_one_tells_its_duties() -> None:
    assert set(DUTIES) == set(ROWS) - {"direct"}
    rows = duty_rows(ROWS)
    assert len({len(row) for row in rows}) == 1
