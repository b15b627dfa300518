from trunkline.inference.remembered import Remembered


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_not_used_is_forgotten() -> None:
    clock = Clock()
    memory: Remembered[str] = Remembered(10, 5.0, clock)
    memory.put("a", "x")
    clock.now = 4.0
    assert memory.get("a") == "x"
    clock.now = 8.0
    assert memory.get("a") == "x"
    clock.now = 13.0
    assert memory.get("a") is None
    assert memory.get("b") is None


def test_the_longest_unused_goes_first() -> None:
    memory: Remembered[int] = Remembered(2, 5.0, Clock())
    memory.put("a", 1)
    memory.put("b", 2)
    assert memory.get("a") == 1
    memory.put("c", 3)
    assert [memory.get(key) for key in "abc"] == [1, None, 3]
