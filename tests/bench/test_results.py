import pytest
from bench.results import Figures, derive, fold, insert, judge, table, verdict_table


def figures() -> Figures:
    return {
        "direct": {"p50_us": [12, 10], "p99_us": [60, 50]},
        "envoy": {"plain_us": [90, 100, 500], "burst_us": [104, 104, 104], "p50_us": [210, 220]},
        "trunkline": {
            "plain_us": [120, 110, 110],
            "burst_us": [520, 520, 520],
            "p50_us": [300, 310],
            "p99_us": [400, 9000],
            "import_s": [0.5],
            "rps": [1, 3, 2],
        },
    }


def test_rounds_are_folded_to_medians_and_latencies_to_what_is_added() -> None:
    folded = fold(figures())
    assert folded["envoy"] == {"plain_us": 100, "burst_us": 104, "p50_us": 200}
    assert folded["trunkline"]["p99_us"] == 350
    assert folded["trunkline"]["rps"] == 3
    assert folded["direct"] == {"p50_us": 10, "p99_us": 50}


def test_verdicts_are_ratios_to_envoy_of_the_same_run() -> None:
    found = figures()
    derive(found)
    verdicts = {verdict.limit.key: (verdict.measured, verdict.passed) for verdict in judge(fold(found))}
    assert verdicts["plain_us"] == (1.1, True)
    assert verdicts["burst_event_us"] == (5.0, False)
    assert verdicts["p99_us"] == (350, True)
    assert verdicts["import_s"] == (0.5, False)
    assert verdicts["ready_s"] == (None, None)


def test_routing_costs_what_it_adds_to_one_endpoint_in_the_same_round() -> None:
    found: Figures = {"trunkline": {"fixed_us": [100, 150, 110], "routed_us": [119, 160, 135], "preferring_us": [120, 180, 140]}}
    derive(found)
    assert found["trunkline"]["router_us"] == [19, 10, 25]
    assert found["trunkline"]["preferences_us"] == [20, 30, 30]
    verdict = next(verdict for verdict in judge(fold(found)) if verdict.limit.key == "router_us")
    assert (verdict.measured, verdict.passed) == (19, True)


def test_without_envoy_there_are_no_ratios() -> None:
    found = figures()
    del found["envoy"]
    assert all(verdict.measured is None for verdict in judge(fold(found)) if verdict.limit.relative)


def test_tables_show_ratios_and_gaps() -> None:
    found = figures()
    derive(found)
    head, _, *rows = table(fold(found)).splitlines()
    assert head.startswith("| gateway | plain, µs/request |")
    assert "| 110 (1.10x) |" in rows[2]
    assert "| - |" in rows[1]
    assert all(row.count("|") == head.count("|") for row in rows)
    assert "| **missed** |" in verdict_table(judge(fold(found)))


def test_docs_are_written_between_their_marks() -> None:
    page = "a\n<!-- bench:start -->\nold\n<!-- bench:end -->\nb\n"
    assert insert(page, "new") == "a\n<!-- bench:start -->\nnew\n<!-- bench:end -->\nb\n"
    with pytest.raises(ValueError):
        insert("a page without marks", "new")
