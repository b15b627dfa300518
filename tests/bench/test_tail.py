from bench.tail import NAMES, WAYS, Pass, Plan, configuration, members, quantile, report

from trunkline.catalogue.config import tables_of


def test_the_configuration_switches_hedging() -> None:
    urls = [(name, f"http://127.0.0.1:1/{name}") for name in NAMES]
    for _, share in WAYS:
        tables = tables_of(configuration(share, urls).encode(), "trunkline.toml")
        assert len(tables.endpoints) == len(NAMES)
        assert tables.routing.hedging == (share is not None)
        assert share is None or tables.routing.hedging_extra_load == share


def test_each_pace_is_as_frequent_and_slow_answers_are_spells() -> None:
    (member, *_) = members(0.05)
    left, shares = 1.0, []
    for rule in member.rules:
        shares.append(left / rule.every)
        left -= shares[-1]
    assert [round(share, 6) for share in shares] == [0.25] * 4
    assert member.spells[0].share == 0.05


def test_the_table_tells_what_was_waited_and_what_it_took() -> None:
    waits = [number / 1000 for number in range(1, 101)]
    assert (quantile(waits, 0.5), quantile(waits, 1.0)) == (0.051, 0.1)
    off = Pass(slow=0.05, share=None, waits=waits, requests=100, calls=100)
    on = Pass(slow=0.05, share=0.02, waits=waits, requests=100, calls=102, started=2, won=1)
    rows = [line for line in report([off, on], Plan()).splitlines() if line.startswith("| 5%")]
    assert rows == [
        "| 5% | no hedging | 51 / 96 / 98 / 100 | 0.0% | 0 | 0 |",
        "| 5% | 2% | 51 / 96 / 98 / 100 | 2.0% | 2 | 1 |",
    ]
