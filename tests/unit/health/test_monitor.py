"""The monitor: outcomes in, a snapshot out, and hints between workers."""

import os
from collections.abc import Iterator

import msgspec
import pytest
from msgspec.structs import replace
from pipelines import served

from trunkline.errors import CertificateRejected, ConnectFailed, UpstreamError, UpstreamRefused
from trunkline.health.board import LOOK_SECONDS, Board, open_board
from trunkline.health.breaker import CONSECUTIVE_FAILURES, EJECTION_SECONDS, OUTAGE_SECONDS, PROBE_SECONDS
from trunkline.health.cooldowns import REFUSED_SECONDS
from trunkline.health.live import MINUTES, Live
from trunkline.health.monitor import ABSENT_SECONDS, EXPIRY_SECONDS, FIGURES_SECONDS, HEADROOM_SECONDS, Longterm, Monitor
from trunkline.protocol.generation import AttemptRecord, GenerationRecord
from trunkline.protocol.health import EndpointHealth

ENDPOINT = served("e0")
OTHER = served("e1")
DOWN = ConnectFailed("x")


class Clock:
    now = 6_000_000.0

    def __call__(self) -> float:
        return self.now


class Stage:
    """Monitors on one clock."""

    def __init__(self, *boards: Board) -> None:
        self.clock = Clock()
        self.monitors = [Monitor(live=Live(self.clock), board=board, clock=self.clock, draw=lambda: 0.0) for board in boards or (None,)]
        self.monitor = self.monitors[0]

    def fail(self, times: int = 1, error: UpstreamError = DOWN, *, counts: bool = True, late: bool = False) -> None:
        for _ in range(times):
            self.monitor.failed(ENDPOINT, error, counts=counts, late=late)

    def health(self, monitor: Monitor | None = None) -> EndpointHealth:
        return (monitor or self.monitor).snapshot().endpoints.get(ENDPOINT.id, EndpointHealth())

    def cooldowns(self) -> dict[tuple[str, str], float]:
        snapshot = self.monitor.snapshot()
        return {scope: until - snapshot.now for scope, until in snapshot.cooldowns.items()}


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def two() -> Iterator[Stage]:
    descriptor = open_board(2)
    yield Stage(Board(descriptor, 0), Board(descriptor, 1))
    os.close(descriptor)


def refused(kind: str, retry_after: float | None = None) -> UpstreamRefused:
    return UpstreamRefused(kind, "no", status=400, retry_after=retry_after)


def record(latency_ms: int = 100, error_type: str | None = None) -> GenerationRecord:
    return GenerationRecord(
        id=b"0" * 16,
        created_ms=0,
        key_hash="k",
        workspace_id="w",
        model="a/m",
        endpoint_id=ENDPOINT.id,
        provider_name="Acme",
        api_type="completions",
        cost=0,
        streamed=True,
        output_tokens=100,
        generation_ms=2000,
        attempts=(AttemptRecord("Acme", ENDPOINT.id, "a/m", 200, latency_ms, None, error_type),),
    )


def test_nothing_is_held_against_endpoints_that_work(stage: Stage) -> None:
    assert stage.monitor.begin(ENDPOINT.id)
    stage.monitor.succeeded(ENDPOINT)
    snapshot = stage.monitor.snapshot()
    assert (snapshot.endpoints, snapshot.cooldowns, snapshot.now) == ({}, {}, stage.clock.now)


def test_a_failure_is_an_outage_for_half_a_minute(stage: Stage) -> None:
    stage.fail(2)
    assert stage.health().recent_failures == 2
    assert not stage.monitor.snapshot().failing(OTHER.id)
    stage.clock.now += OUTAGE_SECONDS - 0.1
    assert stage.monitor.snapshot().failing(ENDPOINT.id)
    stage.clock.now += 0.2
    assert stage.health() == EndpointHealth()


def test_a_success_forgets_failures(stage: Stage) -> None:
    stage.fail()
    stage.monitor.succeeded(ENDPOINT)
    assert stage.health() == EndpointHealth()


def test_why_an_endpoint_is_out_of_reach_is_logged_once_for_each_outage(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    down = CertificateRejected("the certificate of https://models.corp.example:8443 is not accepted: it has expired")
    stage.fail(3, down)
    assert [record.message for record in caplog.records] == [f"{ENDPOINT.id} cannot be reached: {down.message}"]
    stage.fail(1, refused("server"))
    assert len(caplog.records) == 1
    stage.clock.now += OUTAGE_SECONDS + 1
    stage.fail(1, down)
    assert len(caplog.records) == 2


def test_what_does_not_count_changes_nothing(stage: Stage) -> None:
    stage.fail(20, refused("caller_fault"), counts=False)
    assert stage.monitor.snapshot().endpoints == {}


def test_an_endpoint_that_fails_is_ejected_probed_and_taken_back(stage: Stage) -> None:
    stage.fail(CONSECUTIVE_FAILURES)
    assert stage.health().ejected_until == stage.clock.now + EJECTION_SECONDS
    assert not stage.health().probing
    stage.clock.now += EJECTION_SECONDS + 1
    assert 0 < stage.health().ejected_until < stage.clock.now
    assert stage.monitor.begin(ENDPOINT.id)
    assert stage.health().probing
    assert not stage.monitor.begin(ENDPOINT.id)
    stage.monitor.succeeded(ENDPOINT)
    assert stage.health() == EndpointHealth()
    assert stage.monitor.begin(ENDPOINT.id)


def test_a_probe_without_outcome_gives_its_place_free(stage: Stage) -> None:
    stage.monitor.released(ENDPOINT.id)
    stage.fail(CONSECUTIVE_FAILURES)
    stage.clock.now += EJECTION_SECONDS + 1
    for end in (lambda: stage.monitor.released(ENDPOINT.id), lambda: stage.fail(1, refused("caller_fault"), counts=False)):
        assert stage.monitor.begin(ENDPOINT.id)
        end()
        assert not stage.health().probing
    assert stage.monitor.begin(ENDPOINT.id)
    stage.clock.now += PROBE_SECONDS + 1
    assert not stage.health().probing


def test_an_endpoint_is_left_alone_for_as_long_as_it_asks(stage: Stage) -> None:
    stage.fail(1, refused("overloaded", retry_after=12.0))
    assert stage.health().ejected_until == stage.clock.now + 12
    stage.fail(1, refused("overloaded", retry_after=99_999.0))
    assert stage.health().ejected_until == stage.clock.now + 300


@pytest.mark.parametrize(("kind", "counts"), [("model_access", True), ("region", False)])
def test_an_endpoint_that_cannot_serve_rests_for_ten_minutes(stage: Stage, kind: str, counts: bool) -> None:
    stage.fail(1, refused(kind), counts=counts)
    assert stage.health().ejected_until == stage.clock.now + ABSENT_SECONDS


def test_a_rate_limit_rests_the_credential_for_this_model_and_not_the_endpoint(stage: Stage) -> None:
    stage.fail(1, refused("rate_limit", retry_after=9.0), counts=False)
    assert stage.cooldowns() == {(ENDPOINT.credential, ENDPOINT.model): 9.0}
    assert stage.health() == EndpointHealth()


@pytest.mark.parametrize("kind", ["quota", "credential"])
def test_a_refused_credential_rests_and_not_the_endpoint(stage: Stage, kind: str) -> None:
    stage.fail(2 * CONSECUTIVE_FAILURES, refused(kind))
    assert stage.cooldowns() == {(ENDPOINT.credential, ""): REFUSED_SECONDS}
    assert stage.health() == EndpointHealth()
    stage.monitor.succeeded(ENDPOINT)
    assert stage.cooldowns() == {}


def test_a_model_that_one_callers_key_does_not_reach_is_there_for_others(stage: Stage) -> None:
    theirs = replace(ENDPOINT, byok="their-key")
    stage.monitor.failed(theirs, refused("model_access"), counts=True)
    assert stage.cooldowns() == {("their-key", ENDPOINT.model): ABSENT_SECONDS}
    assert stage.health() == EndpointHealth()


def test_streams_that_break_off_count_although_they_began_well(stage: Stage) -> None:
    for _ in range(10):
        stage.monitor.succeeded(ENDPOINT)
        stage.fail(late=True)
    assert stage.health().ejected_until > stage.clock.now


def test_what_headers_tell_of_a_rate_limit_holds_for_a_minute(stage: Stage) -> None:
    headers = {b"x-ratelimit-remaining-requests": b"6", b"x-ratelimit-limit-requests": b"60"}
    stage.monitor.heard(ENDPOINT.id, headers.get)
    assert stage.health().headroom == 0.1
    stage.monitor.heard(ENDPOINT.id, {}.get)
    assert stage.health().headroom == 0.1
    stage.clock.now += HEADROOM_SECONDS + 1
    assert stage.health() == EndpointHealth()
    stage.monitor.heard(ENDPOINT.id, headers.get)
    stage.monitor.heard(ENDPOINT.id, (headers | {b"x-ratelimit-remaining-requests": b"50"}).get)
    assert stage.health() == EndpointHealth()


def test_percentiles_follow_the_traffic_within_seconds_and_end_with_it(stage: Stage) -> None:
    for _ in range(10):
        stage.monitor.observe(record(latency_ms=200))
    assert stage.health().latency is None
    stage.clock.now += FIGURES_SECONDS + 0.1
    latency, throughput = stage.health().latency, stage.health().throughput
    assert latency is not None
    assert throughput is not None
    assert latency.p50 == pytest.approx(0.2, rel=0.021)
    assert throughput.p50 == pytest.approx(50, rel=0.021)
    stage.fail()
    assert stage.health().latency == latency
    for _ in range(int(60 * MINUTES / EXPIRY_SECONDS) + 1):
        stage.clock.now += EXPIRY_SECONDS + 1
        stage.monitor.snapshot()
    assert stage.health() == EndpointHealth()


def test_an_outage_does_not_keep_percentiles_old(stage: Stage) -> None:
    stage.fail()
    for _ in range(10):
        stage.monitor.observe(record())
    stage.clock.now += FIGURES_SECONDS + 0.1
    assert stage.health().latency is not None
    assert stage.health().recent_failures == 1
    stage.clock.now += OUTAGE_SECONDS
    assert stage.health().recent_failures == 0


def test_what_storage_knows_is_taken_over_and_replaced(stage: Stage) -> None:
    stage.monitor.learn({ENDPOINT.id: Longterm("degraded", 500, 33.0, 20, 0.9)})
    assert stage.health() == EndpointHealth(standing="degraded", requests=500, speed=33.0, tool_requests=20, tool_success=0.9)
    quality = Longterm(structured_requests=9, structured_success=0.5, benchmarks=(("gpqa_diamond", 0.7),), behind=False)
    stage.monitor.learn({ENDPOINT.id: quality})
    assert stage.health() == EndpointHealth(**msgspec.structs.asdict(quality))
    stage.monitor.learn({OTHER.id: Longterm("down")})
    assert stage.health() == EndpointHealth()
    assert stage.monitor.snapshot().endpoints[OTHER.id].standing == "down"


def test_many_changes_at_once_are_worked_off_over_several_requests(stage: Stage) -> None:
    many = [served(f"e{number}") for number in range(50)]
    for one in many:
        stage.monitor.failed(one, DOWN, counts=True)
    assert len(stage.monitor.snapshot().endpoints) == 50
    stage.clock.now += OUTAGE_SECONDS + 1
    left = [len(stage.monitor.snapshot().endpoints) for _ in range(10)]
    assert 0 < left[0] < 50
    assert left[-1] == 0


def test_workers_tell_each_other_of_trouble_and_of_its_end(two: Stage) -> None:
    mine, theirs = two.monitors
    theirs.snapshot()
    two.fail(CONSECUTIVE_FAILURES)
    mine.failed(ENDPOINT, refused("rate_limit", 20.0), counts=False)
    two.clock.now += LOOK_SECONDS
    ejected_until = two.health(mine).ejected_until
    assert two.health(theirs) == EndpointHealth(recent_failures=1, ejected_until=ejected_until)
    assert theirs.snapshot().cooldowns == mine.snapshot().cooldowns != {}
    mine.succeeded(ENDPOINT)
    two.clock.now += LOOK_SECONDS
    assert two.health(theirs) == EndpointHealth()


def test_each_outage_is_told_and_not_only_the_first(two: Stage) -> None:
    _, theirs = two.monitors
    for _ in range(3):
        two.fail()
        two.clock.now += LOOK_SECONDS
        assert theirs.snapshot().failing(ENDPOINT.id)
        two.clock.now += OUTAGE_SECONDS + 1
        assert not theirs.snapshot().failing(ENDPOINT.id)


def test_what_another_worker_said_ends_by_itself(two: Stage) -> None:
    _, theirs = two.monitors
    two.fail(CONSECUTIVE_FAILURES)
    two.clock.now += LOOK_SECONDS
    assert two.health(theirs).ejected_until > 0
    two.clock.now += EJECTION_SECONDS + 1
    assert two.health(theirs) == EndpointHealth()
    assert theirs.begin(ENDPOINT.id)


def test_each_worker_decides_by_what_it_saw_itself(two: Stage) -> None:
    mine, theirs = two.monitors
    two.fail(CONSECUTIVE_FAILURES)
    two.clock.now += LOOK_SECONDS
    theirs.succeeded(ENDPOINT)
    assert two.health(mine).ejected_until > 0
    assert two.health(theirs).ejected_until > 0  # a hint is the one who gave it's to take back


def test_what_is_late_is_worked_out_for_who_asks_and_at_most_every_two_seconds(stage: Stage) -> None:
    assert stage.monitor.late("e0") is None
    for _ in range(20):
        stage.monitor.observe(record(100))
    assert stage.monitor.late("e0") is None
    stage.clock.now += FIGURES_SECONDS
    assert stage.monitor.late("e0") == pytest.approx(0.1, rel=0.02)
    for _ in range(20):
        stage.monitor.observe(record(900))
    assert stage.monitor.late("e0") == pytest.approx(0.1, rel=0.02)
    stage.clock.now += FIGURES_SECONDS
    assert stage.monitor.late("e0") == pytest.approx(0.9, rel=0.02)
