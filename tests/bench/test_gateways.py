import tomllib
from pathlib import Path

import msgspec
from bench.gateways import HOUSES, envoy_config, nginx_gateway, trunkline_config
from bench.upstream import Upstream, nginx_upstream

UPSTREAM = Upstream(plain_port=1, tls_port=2, paced_port=3, authority=Path("/ca.pem"))


def test_every_gateway_reaches_every_upstream() -> None:
    providers = tomllib.loads(trunkline_config(UPSTREAM))["providers"]
    assert [provider["base_url"] for provider in providers] == [
        "http://127.0.0.1:1/plain/v1",
        "http://127.0.0.1:1/burst/v1",
        "http://127.0.0.1:3/paced/v1",
        "https://localhost:2/tls/v1",
        "http://127.0.0.1:1/to-messages",
        "http://127.0.0.1:1/from-messages/v1",
        "http://127.0.0.1:1/fixed/v1",
        *["http://127.0.0.1:1/routed/v1"] * HOUSES,
        *["http://127.0.0.1:1/preferring/v1"] * HOUSES,
    ]
    clusters = msgspec.json.decode(envoy_config(9, UPSTREAM))["static_resources"]["clusters"]
    assert ["transport_socket" in cluster for cluster in clusters] == [False, False, True]
    assert "location /tls/v1/ { proxy_pass https://tls; }" in nginx_gateway(Path("/tmp"), 9, UPSTREAM)


def test_the_upstream_answers_with_words_short_enough_for_nginx() -> None:
    config = nginx_upstream(Path("/tmp"), 1, 2, Path("/c.pem"))
    assert max(map(len, config.split("'")[1::2])) <= 3000
    assert config.count("data: [DONE]") == 4
    assert config.count("event: message_stop") == 2
    assert "location = /to-messages/v1/messages {" in config
