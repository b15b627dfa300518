"""Calls and replies, without a server."""

import pytest

from trunkline.api.call import Call, reply
from trunkline.api.routes import TABLE
from trunkline.errors import ApiError
from trunkline.protocol.principal import Principal


def test_the_caller_is_who_authenticated() -> None:
    principal = Principal("hash", "inference", "name", "label", "workspace")
    assert Call(operation=TABLE[0], principal=principal).caller is principal


def test_a_call_without_caller_says_401_to_who_asks_for_one() -> None:
    with pytest.raises(ApiError) as refused:
        _ = Call(operation=TABLE[0]).caller
    assert (refused.value.status, refused.value.message) == (401, "Missing Authentication header")


def test_a_reply_is_encoded_at_once() -> None:
    answer = reply({"data": [1, None]}, status=201)
    assert (answer.body, answer.status, answer.media_type) == (b'{"data":[1,null]}', 201, "application/json")
