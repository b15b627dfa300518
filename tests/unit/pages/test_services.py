"""What the pages are handed: facts, not the rooms themselves."""

from trunkline.pages.services import Operation, PageServices


def test_services_are_questions_that_are_asked_anew(catalogue: object) -> None:
    answers = iter(({"a": 1}, {"a": 2}))
    services = PageServices(
        catalogue=lambda: catalogue,  # type: ignore[arg-type, return-value]
        weekly_tokens=lambda: next(answers),
        origin="https://gateway.example",
        operations=(Operation("GET", "/x", "key", "X", "live", "Does x"),),
        opens=lambda scope: scope["path"] == "/x",
    )
    assert [services.weekly_tokens()["a"], services.weekly_tokens()["a"]] == [1, 2]
    assert services.opens({"path": "/x"})
    assert not services.opens({"path": "/y"})
