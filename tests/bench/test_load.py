import pytest
from bench.load import Loaded, LoadFailed, lua_script, read_result

from bench import workload

OUTPUT = """Running 2s test @ http://127.0.0.1:1/v1/chat/completions
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.12ms  280.00us   9.01ms   92.00%
  56981 requests in 2.00s, 45.10MB read
Requests/sec:  28485.12
Transfer/sec:     22.54MB
bench-result {"requests":56981,"seconds":2.000377,"errors":0,"p50_us":1101,"p99_us":1540}
"""


def test_the_result_line_is_read() -> None:
    assert read_result(OUTPUT) == Loaded(requests=56981, seconds=2.000377, errors=0, p50_us=1101, p99_us=1540)


def test_output_without_a_result_is_an_error() -> None:
    with pytest.raises(LoadFailed, match="Transfer"):
        read_result(OUTPUT.partition("bench-result")[0])


def test_the_script_sends_our_request() -> None:
    script = lua_script({"Authorization": "Bearer the-key"}, workload.request_body(workload.WORKLOADS["burst"]))
    assert 'wrk.headers["Authorization"] = [==[Bearer the-key]==]' in script
    assert '"stream":true' in script
