"""The body of an answer."""

import msgspec
from msgspec import Raw

from trunkline.dialects.embeddings.answer import write
from trunkline.dialects.embeddings.request import parse
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.oneshot import Result
from trunkline.protocol.usage import Cost, Usage

IDENTITY = Identity("gen-1", "a/m", "One", 5)
REQUEST = parse(b'{"model":"a/m","input":["a","b"]}')


def test_vectors_in_order_with_what_they_cost() -> None:
    said = msgspec.json.decode(write(IDENTITY, REQUEST, Result((Raw(b"[1.50]"), Raw(b'"AAA="'))), Usage(4), Cost(40, 40)))
    assert [one["embedding"] for one in said["data"]] == [[1.5], "AAA="]
    assert [(one["index"], one["object"]) for one in said["data"]] == [(0, "embedding"), (1, "embedding")]
    assert (said["id"], said["object"], said["model"], said["provider"]) == ("gen-1", "list", "a/m", "One")
    assert said["usage"] == {
        "prompt_tokens": 4,
        "total_tokens": 4,
        "cost": 4e-11,
        "is_byok": False,
        "cost_details": {
            "upstream_inference_cost": 4e-11,
            "upstream_inference_prompt_cost": 4e-11,
            "upstream_inference_completions_cost": 0,
        },
    }


def test_parts_are_told_where_there_are_two_kinds() -> None:
    for usage, details in ((Usage(9, input_image=5), {"text_tokens": 4, "image_tokens": 5}), (Usage(5, input_image=5), None)):
        said = msgspec.json.decode(write(IDENTITY, REQUEST, Result(()), usage, Cost()))
        assert said["usage"].get("prompt_tokens_details") == details
