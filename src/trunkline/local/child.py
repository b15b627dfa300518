"""The child's main: runs the engine's HTTP server until the gateway goes away.

Reads one `LaunchOrder` from standard input, serves on loopback, and then waits for the end of standard input, which the kernel brings
about when the gateway dies in whatever way. On Linux the parent's death also sends SIGKILL (prctl(2), PR_SET_PDEATHSIG), which covers the
start of the engine. Only this module imports the engine: 106 MB of native code never enter the gateway.
"""

import os
import sys

import xllamacpp as xlc

from trunkline.local import launch
from trunkline.local.parent import die_with

_ERRORS_ONLY = 1
_PROMPT_CACHE_MIB = 128
_TEMPERATURE = 0.0
"""For requests that name none: a model this small answers plain questions best without chance (6 of 6 against 15 of 18 at 0.2)."""
CHAT_TEMPLATE = """\
{% for message in messages %}\
{% if loop.first and message['role'] != 'system' %}{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}\
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}\
{% endfor %}\
{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""
"""The weights' own template with another system prompt for conversations that have none: theirs has the model answer in broken French."""


def build_params(order: launch.LaunchOrder) -> xlc.CommonParams:
    """The engine's parameters: loopback only, a key required, no web page, no listing of running prompts, and a bounded prompt cache."""
    params = xlc.CommonParams()
    params.model.path = order.weights
    params.model_alias = {order.alias}
    params.hostnames = [launch.HOST]
    params.port = order.port
    params.reuse_port = True
    params.api_keys = [order.api_key]
    params.n_ctx = order.context_tokens * order.slots
    params.n_parallel = order.slots
    params.cpuparams.n_threads = order.threads
    params.sampling.temp = _TEMPERATURE
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.use_jinja = True
    params.chat_template = CHAT_TEMPLATE
    params.offline = True
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = _ERRORS_ONLY
    return params


def main() -> None:
    """Serves until standard input ends. Leaves by `_exit`: the engine's threads may be at work and hold nothing worth saving."""
    order = launch.decode(sys.stdin.buffer.readline())
    die_with(order.parent)
    _server = xlc.Server(build_params(order))
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
