"""Every parser of strangers' bytes, fuzzed (`support/fuzz_targets.py`): a little in each run, a minute each, by coverage, in long ones."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz_targets import TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SECONDS = 60
ROOT = Path(__file__).resolve().parents[2]


@st.composite
def mutations(draw: st.DrawFn, name: str) -> bytes:
    """A seed with a few of its bytes gone, and words or bytes put in."""
    target = TARGETS[name]
    data = bytearray(draw(st.sampled_from(target.seeds)))
    put_in = st.one_of(st.sampled_from(target.words or (b"",)), st.sampled_from(target.seeds), st.binary(max_size=4))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.sampled_from((0, 0, 1, 2, 8)))] = draw(put_in)
    data[:1] = draw(st.binary(min_size=1, max_size=1))
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_mutations(name: str, data: st.DataObject) -> None:
    TARGETS[name].run(data.draw(mutations(name)))


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name: str) -> None:
    for seed in TARGETS[name].seeds:
        TARGETS[name].run(seed)


@pytest.mark.long
@pytest.mark.parametrize("name", TARGETS)
def test_guided_by_coverage(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris has no wheel for this machine")
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    for number, seed in enumerate(TARGETS[name].seeds):
        (inputs / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={SECONDS}", "-max_len=2048", "-timeout=20", "-rss_limit_mb=1024", f"-artifact_prefix={tmp_path}/"]
    if TARGETS[name].words:
        words = tmp_path / "words.dict"
        words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in TARGETS[name].words))
        options.append(f"-dict={words}")
    command = [sys.executable, str(ROOT / "tests/fuzz/harness.py"), name, *options, str(inputs)]
    environ = {**os.environ, "PYTHONWARNINGS": ""}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=SECONDS * 5, check=False)
    broken = [path.read_bytes() for path in tmp_path.glob("*-*") if path.name.startswith(("crash-", "oom-", "timeout-"))]
    assert done.returncode == 0, f"{broken}\n{done.stderr[-4000:]}"
