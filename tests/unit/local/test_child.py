import os
import subprocess
import sys

import jinja2
import pytest

from trunkline.local import launch

child = pytest.importorskip("trunkline.local.child", reason="the local model's engine is not installed", exc_type=ImportError)

ORDER = launch.LaunchOrder(weights="/w/a.gguf", port=4321, api_key="k" * 64, parent=os.getpid(), context_tokens=1000, slots=3, threads=1)


def test_the_engine_is_locked_to_loopback_and_the_key() -> None:
    params = child.build_params(ORDER)
    assert (params.hostnames, params.port, params.api_keys) == (["127.0.0.1"], 4321, ["k" * 64])
    assert not params.ui and not params.endpoint_slots and params.offline


def test_every_slot_has_the_whole_context() -> None:
    params = child.build_params(ORDER)
    assert (params.n_ctx, params.n_parallel, params.cpuparams.n_threads) == (3000, 3, 1)
    assert params.model.path == "/w/a.gguf" and params.model_alias == {launch.MODEL_ALIAS}


def render(*messages: dict[str, str]) -> str:
    """The prompt that the engine is given for these messages."""
    return jinja2.Environment(autoescape=False).from_string(child.CHAT_TEMPLATE).render(messages=messages, add_generation_prompt=True)


def test_a_conversation_without_a_system_prompt_gets_one() -> None:
    hello = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    own = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    assert render({"role": "user", "content": "Hi"}) == own + hello
    assert (
        render({"role": "system", "content": "Be rude."}, {"role": "user", "content": "Hi"})
        == own.replace("You are a helpful assistant", "Be rude") + hello
    )


def test_chance_is_only_on_request() -> None:
    assert child.build_params(ORDER).sampling.temp == 0


def run_main(order: bytes) -> subprocess.CompletedProcess[str]:
    """Runs the child's main with the given line on standard input."""
    return subprocess.run(
        [sys.executable, "-m", "trunkline.local.child"], input=order.decode(), capture_output=True, text=True, check=False, timeout=30
    )


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_child_of_somebody_else_ends_before_it_starts_the_engine() -> None:
    done = run_main(launch.encode(launch.LaunchOrder(weights="/none", port=1, api_key="k", parent=1)))
    assert (done.returncode, done.stderr) == (1, "")


def test_a_child_without_an_order_ends_with_an_error() -> None:
    assert run_main(b"").returncode != 0
