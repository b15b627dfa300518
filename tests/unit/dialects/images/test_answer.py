"""The body of an answer."""

import msgspec

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.images.answer import picture_view, write
from trunkline.dialects.images.picture import Picture
from trunkline.dialects.images.request import parse
from trunkline.dialects.oneshot import Result
from trunkline.protocol.usage import Cost, Usage


def test_pictures_and_what_they_cost() -> None:
    result = Result((Picture("AAAA", "image/png"), Picture("BBBB")))
    said = msgspec.json.decode(
        write(Identity("gen-1", "a/m", "One", 5), parse(b'{"model":"a/m","prompt":"x"}'), result, Usage(2, 9, output_image=9), Cost(10**9))
    )
    assert (said["created"], said["data"]) == (5, [{"b64_json": "AAAA", "media_type": "image/png"}, {"b64_json": "BBBB"}])
    assert (said["usage"]["prompt_tokens"], said["usage"]["completion_tokens"], said["usage"]["total_tokens"]) == (2, 9, 11)
    assert (said["usage"]["cost"], said["usage"]["completion_tokens_details"]["image_tokens"]) == (0.001, 9)
    assert picture_view(Picture("A")) == {"b64_json": "A"}
