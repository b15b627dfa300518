"""What routing reads of health."""

from trunkline.protocol.health import EndpointHealth, HealthSnapshot


def test_an_endpoint_that_is_not_named_is_healthy() -> None:
    snapshot = HealthSnapshot({"bad": EndpointHealth(1), "good": EndpointHealth(0)})
    assert snapshot.failing("bad")
    assert not snapshot.failing("good")
    assert not snapshot.failing("unknown")
