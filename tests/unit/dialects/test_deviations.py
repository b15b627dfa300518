from trunkline.dialects.deviations import rename
from trunkline.protocol.quirks import Quirks


def test_keys_go_or_get_another_name() -> None:
    body: dict[str, object] = {"a": 1, "b": 2, "c": 3}
    rename(body, Quirks(drop=("a", "x"), rename={"b": "B", "a": "A", "y": "Y"}))
    assert body == {"B": 2, "c": 3}


def test_a_plain_endpoint_changes_nothing() -> None:
    body: dict[str, object] = {"a": 1}
    rename(body, Quirks())
    assert body == {"a": 1}
