from pathlib import Path

import pytest
from bench.gateways import Gateway
from bench.rounds import Plan, Rounds

from bench import load


def refuse(*_: object, **__: object) -> load.Loaded:
    raise load.LoadFailed("3 of 10 requests failed")


def test_a_gateway_that_may_fail_goes_without_its_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "run", refuse)
    said: list[str] = []
    gateway = Gateway(name="peer", ports={"plain": 9}, paths={"plain": "/v1"})
    Rounds([gateway], Plan(rows={}, may_fail=("peer",), probes=0), tmp_path, said.append).one()
    assert said == ["peer failed: 3 of 10 requests failed"]
    with pytest.raises(load.LoadFailed):
        Rounds([gateway], Plan(rows={}, probes=0), tmp_path, said.append).one()


def test_a_slow_gateway_is_loaded_for_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lasted: list[float] = []

    def run(gateway: Gateway, kind: str, *, seconds: float, folder: Path) -> load.Loaded:
        lasted.append(seconds)
        return load.Loaded(requests={"slow": 64, "fast": 64_000, "slowest": 1}[gateway.name], seconds=1, errors=0, p50_us=1, p99_us=1)

    monkeypatch.setattr(load, "run", run)
    gateways = [Gateway(name=name, ports={"plain": 9}, paths={"plain": "/v1"}) for name in ("fast", "slow", "slowest")]
    rounds = Rounds(gateways, Plan(rows={}, probes=0, seconds=2, each=20, longest_s=15), tmp_path, print)
    rounds.warm_up()
    rounds.one()
    assert lasted == [1, 1, 1, 2, 10, 15]
    lasted.clear()
    Rounds(gateways[:1], Plan(rows={}, probes=0, seconds=2, lead_s=3), tmp_path, print).one()
    assert lasted == [3, 2]
