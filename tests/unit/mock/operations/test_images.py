import base64
from typing import Any

import msgspec
from openai.types import ImagesResponse

from trunkline.mock.call import Asked
from trunkline.mock.operations.images import read, write
from trunkline.mock.script import Answer, Pace


def made(answer: Answer = Answer(), **fields: Any) -> dict[str, Any]:  # noqa: B008
    call = read(Asked(path="/", body={"model": "m", "prompt": "a red car"} | fields))
    found: dict[str, Any] = msgspec.json.decode(write(call, answer, Pace(), serial=1).parts[0].data)
    ImagesResponse.model_validate(found)
    return found


def test_pictures_and_their_tokens() -> None:
    found = made(n=2)
    assert [base64.b64decode(image["b64_json"])[:4] for image in found["data"]] == [b"\x89PNG"] * 2
    assert (found["usage"]["input_tokens"], found["usage"]["output_tokens"]) == (3, 200)


def test_by_address_and_without_usage() -> None:
    found = made(Answer(usage_place="never", images=3), response_format="url")
    assert [image["url"][:15] for image in found["data"]] == ["data:image/png;"] * 3
    assert "usage" not in found
