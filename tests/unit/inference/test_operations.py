"""The table of operations."""

import pytest
from pipelines import served

from trunkline.api.routes import TABLE
from trunkline.inference.operations import OPERATIONS, RUNNERS, nothing_said
from trunkline.protocol.quirks import OperationQuirks, Quirks


def test_each_operation_is_a_live_route() -> None:
    live = {row.path for row in TABLE if row.raw}
    assert OPERATIONS.keys() <= live
    assert RUNNERS.keys() <= {one.name for one in OPERATIONS.values()}


def test_api_types_are_those_of_the_contract() -> None:
    assert {one.name: one.skin.api_type for one in OPERATIONS.values()} == {
        "speech": "tts",
        "transcription": "stt",
        "embeddings": "embeddings",
        "images": "image",
        "rerank": "rerank",
    }


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda one: one.name)
def test_each_has_two_forms_at_least(operation) -> None:  # type: ignore[no-untyped-def]
    assert len(operation.shapes) >= 2
    assert "chat" in operation.shapes


def test_an_endpoint_may_name_another_form() -> None:
    transcription = OPERATIONS["/api/v1/audio/transcriptions"]
    model = type("Models", (), {"models": {"a/m": None}})()
    for name in transcription.shapes:
        one = served("one", quirks=Quirks(operations={"transcription": OperationQuirks(shape=name)}))
        assert transcription.shape(one, model) is transcription.shapes[name]
    assert transcription.shape(served("one", dialect="converse"), model) is None


def test_operations_are_no_conversations() -> None:
    assert nothing_said(None).turns == ()
