import json

import pytest

from trunkline.dialects.messages.request import parse
from trunkline.dialects.messages.tokens import PER_PICTURE, estimate, forwarded, render


def test_text_and_pictures_are_counted() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}}
    body = {"model": "a/b", "messages": [{"role": "user", "content": [{"type": "text", "text": "x" * 40}, image]}]}
    assert estimate(parse(json.dumps(body).encode()), lambda size: size // 4) == 10 + PER_PICTURE


def test_there_is_always_a_token() -> None:
    assert estimate(parse(b'{"messages":[{"role":"user","content":"x"}]}'), lambda size: 0) == 1


def test_the_answer() -> None:
    assert render(7) == b'{"input_tokens":7}'
    assert forwarded(b'{"input_tokens": 7, "more": 1}') == 7


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"input_tokens":"7"}', b"[1]", b"\xff"])
def test_what_is_no_count_is_none(body: bytes) -> None:
    assert forwarded(body) is None
